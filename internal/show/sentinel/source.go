package sentinel

import (
	"time"

	"redkeep/internal/picture"
)

// Source is what stands behind a Face: what there is to tell, and who does what is asked for. All of it is called on the goroutine
// that the face's conversations run on, and must not wait.
//
// The face knows the protocol: it checks arguments as far as they can be checked without knowing more than Settings, words the
// errors, and prints replies. Its source knows the groups. What a source refuses it says with an error that is, or wraps, a
// *Refusal, of which there is one for everything that Sentinel has a text for; any other error is told as its own text.
//
// Slices, maps and strings that a source returns are read at once and not kept; strings that it is given are its own.
type Source interface {
	Questions
	Requests
}

// Questions are answered at once.
type Questions interface {
	Self() Self
	// Names are the masters' names in the order in which they are told.
	Names() []string
	// Addr is where clients find the master of a name, and ok is false where there is none to be told. Name is good during the
	// call only. It is asked for most of all, and should not allocate.
	Addr(name []byte) (host string, port int, ok bool)
	// Master is what is known of the master of a name. ok is false where clients are to be told that there is no such master: the
	// name is none, or nobody knows yet who the master is; of the latter INFO tells the rest, with an address of "?:0".
	Master(name string) (m picture.Watched, ok bool)
	// AppendReplicas and AppendSentinels append what is known of a master's replicas, and of its other Sentinels, in the order in
	// which they are told; unannounced replicas, too. ok is false where the name is none.
	AppendReplicas(to []picture.Watched, name string) (all []picture.Watched, ok bool)
	AppendSentinels(to []picture.Watched, name string) (all []picture.Watched, ok bool)
	// Quorum is how many Sentinels of a name could be counted on for a failover.
	Quorum(name string) (q Quorum, ok bool)
	// AppendCached appends the last INFO of the master of a name, and of each of its replicas.
	AppendCached(to []Cached, name string) (all []Cached, ok bool)
	Scripts() []Script
	// Setting is the value of a setting as SENTINEL CONFIG GET prints it: "" for one that is unset, yes or no.
	Setting(Setting) string
	Period(Period) time.Duration
}

// Requests are what may change something. Each answer is called exactly once, on the same goroutine: from within the call, or
// later, when what it says is on disk. Until then the client's next request is not looked at. A nil error is Sentinel's OK.
type Requests interface {
	// MasterDown is the question of another Sentinel, who may want a vote with it.
	MasterDown(q DownQuestion, answer func(DownAnswer))
	// Greeting takes the payload of a message to __sentinel__:hello, which may be anything.
	Greeting(payload string)
	// Failover fails over without asking anybody. Coordinated is the word of Valkey 9 for having the master hand over itself.
	// Its errors are ErrNoSuchMaster, ErrInProgress, ErrNoGoodReplica, ErrNoGoodPrimary.
	Failover(name string, coordinated bool, answer func(error))
	// Monitor adds a master. Quorum and port are in range, and the host is an address, or any name where Setting says that names
	// are resolved. Its errors are ErrBadHost, ErrDuplicate, ErrNotSaved.
	Monitor(m Monitor, answer func(error))
	// Remove forgets a master: ErrNoSuchMaster, ErrNotSaved.
	Remove(name string, answer func(error))
	// Reset starts anew with each master that covers names, and returns how many those are. Nothing is saved.
	Reset(covers func(name string) bool) int
	// Set applies options in their order, ends with the first that it can't, saves what it has applied, and then answers. Each has
	// been checked; of options with one behind them that is bad, those before it are given, so options may be empty: then only
	// the name is asked about. Its errors are ErrNoSuchMaster, ErrScriptsDenied, ErrNoNotifier, ErrNoReconfigurer, ErrNotSaved.
	Set(name string, options []Option, answer func(error))
	// Configure sets a setting to a value that has been checked, yes and no in lower case: ErrNotSaved.
	Configure(s Setting, value string, answer func(error))
	// SetPeriod sets one of the periods of SENTINEL DEBUG, which are not saved; d is positive.
	SetPeriod(p Period, d time.Duration) error
	// Simulate replaces the failures that are simulated.
	Simulate(Failures) error
	// Flush saves everything: ErrNotSaved.
	Flush(answer func(error))
	// Shutdown ends the process. It answers only where it does not.
	Shutdown(answer func(error))
}

// Self is what a process tells of itself.
type Self struct {
	// ID is what other Sentinels know it by; RunID is this process's alone. Both have 40 characters.
	ID, RunID string
	Port      int
	// Version is Redkeep's own.
	Version string
	Started time.Time
	// Hz is how many times a second it looks at its instances.
	Hz         int
	ConfigFile string
	// Supervised is no, systemd or upstart.
	Supervised string
	// Tilt says that it watches and does not act, TiltFor since when.
	Tilt    bool
	TiltFor time.Duration
	// Running scripts are among the Queued.
	Running, Queued int
	Simulated       Failures
}

// Failures are those of SENTINEL SIMULATE-FAILURE, with Sentinel's own bits: the process ends with status 99 at that moment.
type Failures uint

// The failures.
const (
	CrashAfterElection Failures = 1 << iota
	CrashAfterPromotion
)

// Quorum counts a master's Sentinels.
type Quorum struct {
	// Voters are all that are known, this one included, and Usable those of them that are not down.
	Voters, Usable int
	// Needed is the master's quorum.
	Needed int
}

// Cached is the last INFO of one instance.
type Cached struct {
	// Age is 0 where there was none.
	Age   time.Duration
	Info  string
	Known bool
}

// Script is one that runs, or waits to.
type Script struct {
	Argv    []string
	Running bool
	PID     int
	// Time is for how long it has run, or how long it still has to wait.
	Time  time.Duration
	Retry int
}

// Setting is one of SENTINEL CONFIG, by its name.
type Setting string

// The settings of 7.0, and one that came later.
const (
	ResolveHostnames  Setting = "resolve-hostnames"
	AnnounceHostnames Setting = "announce-hostnames"
	AnnounceIP        Setting = "announce-ip"
	AnnouncePort      Setting = "announce-port"
	SentinelUser      Setting = "sentinel-user"
	SentinelPass      Setting = "sentinel-pass"
	LogLevel          Setting = "loglevel"
)

// Period is one of SENTINEL DEBUG.
type Period int

// The periods, in the order in which they are told.
const (
	InfoPeriod Period = iota
	PingPeriod
	AskPeriod
	PublishPeriod
	DefaultDownAfter
	DefaultFailoverTimeout
	TiltTrigger
	TiltPeriod
	ReplicaReconfTimeout
	MinLinkReconnectPeriod
	ElectionTimeout
	ScriptMaxRuntime
	ScriptRetryDelay
	Periods // how many there are
)

// DownQuestion asks whether the master at an address is down. RunID is * where no vote is wanted, and otherwise who wants it for
// Epoch.
type DownQuestion struct {
	Host  string
	Port  int
	Epoch uint64
	RunID string
}

// DownAnswer answers it. Leader is "" where there is no vote to be told.
type DownAnswer struct {
	Down        bool
	Leader      string
	LeaderEpoch uint64
}

// Monitor is a master to be added.
type Monitor struct {
	Name, Host   string
	Port, Quorum int
}

// Option is one of SENTINEL SET.
type Option struct {
	// Name is one of the Option constants, and Typed is how the client has written it, for the event.
	Name, Typed string
	Value       string
	// Number is Value where that has to be one, in range; for time, milliseconds.
	Number int64
	// To is the second value of OptionRenameCommand; neither of the two is empty.
	To string
}

// The options of SENTINEL SET. An empty script, user or password takes back what was set.
const (
	OptionDownAfter          = "down-after-milliseconds"
	OptionFailoverTimeout    = "failover-timeout"
	OptionParallelSyncs      = "parallel-syncs"
	OptionQuorum             = "quorum"
	OptionRebootPeriod       = "master-reboot-down-after-period"
	OptionNotificationScript = "notification-script"
	OptionReconfigScript     = "client-reconfig-script"
	OptionAuthPass           = "auth-pass"
	OptionAuthUser           = "auth-user"
	OptionRenameCommand      = "rename-command"
)
