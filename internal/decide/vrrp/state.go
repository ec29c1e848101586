package vrrp

// State is one of RFC 5798, section 6.4, or one that keepalived has besides.
type State uint8

// The states. Initialize waits for the first result of each check; Fault for one to pass, or for an address of its own;
// Stopped does not end.
const (
	Initialize State = iota
	Backup
	Master
	Fault
	Stopped
)

// String returns keepalived's word.
func (s State) String() string {
	return [...]string{"INIT", "BACKUP", "MASTER", "FAULT", "STOP"}[s]
}

// Step is how far a router has come on its way up or down.
type Step uint8

// The steps. Up to Probing the router is still a backup, unless it preempts; from Claiming on it advertises; from Demoting on it
// does not any more.
const (
	Idle Step = iota
	Asking
	Probing
	Claiming
	Promoting
	Adding
	Standing
	Demoting
	Dropping
)

// String returns a word for the step.
func (s Step) String() string {
	return [...]string{"idle", "asking", "probing", "claiming", "promoting", "adding", "standing", "demoting", "dropping"}[s]
}

// falling reports whether the router is on its way down.
func (s Step) falling() bool { return s >= Demoting }
