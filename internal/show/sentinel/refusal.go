package sentinel

import "errors"

// Refusal is a request that a source does not do, in the words that its client is told.
type Refusal struct {
	// Code is the first word, by which client libraries know errors; "" is ERR.
	Code string
	Text string
	// Never says that no such request is ever done, nor any part of one. What is wrong with the rest of its arguments is told
	// instead.
	Never bool
}

// Error returns the words for a log.
func (r *Refusal) Error() string { return r.Text }

// The refusals that Sentinel has words for.
var (
	ErrNoSuchMaster   = &Refusal{Text: "No such master with that name"}
	ErrInProgress     = &Refusal{Code: "INPROG", Text: "Failover already in progress"}
	ErrNoGoodReplica  = &Refusal{Code: "NOGOODSLAVE", Text: "No suitable replica to promote"}
	ErrNoGoodPrimary  = &Refusal{Code: "NOGOODPRIMARY", Text: "Primary does not support FAILOVER command"}
	ErrBadHost        = &Refusal{Text: "Invalid IP address or hostname specified"}
	ErrDuplicate      = &Refusal{Text: "Duplicate master name."}
	ErrNotSaved       = &Refusal{Text: "Failed to save config file. Check server logs."}
	ErrScriptsDenied  = &Refusal{Text: "Reconfiguration of scripts path is denied for security reasons. Check the deny-scripts-reconfig configuration directive in your Sentinel configuration"}
	ErrNoNotifier     = &Refusal{Text: "Notification script seems non existing or non executable"}
	ErrNoReconfigurer = &Refusal{Text: "Client reconfiguration script seems non existing or non executable"}
)

// refuse answers with a source's error.
func (r *reply) refuse(err error) {
	refusal := (*Refusal)(nil)
	switch {
	case !errors.As(err, &refusal):
		r.error("ERR " + err.Error())
	case refusal.Code == "":
		r.error("ERR " + refusal.Text)
	default:
		r.error(refusal.Code + " " + refusal.Text)
	}
}

// done answers with OK, or the source's error.
func (r *reply) done(err error) {
	if err != nil {
		r.refuse(err)
		return
	}
	r.ok()
}

// never reports whether a source's error is about a request that is never done.
func never(err error) bool {
	refusal := (*Refusal)(nil)
	return errors.As(err, &refusal) && refusal.Never
}
