package sentinel

import (
	"slices"
	"strings"
	"time"
)

// SENTINEL CONFIG and SENTINEL DEBUG: what holds for all groups.

// settings are those of SENTINEL CONFIG, in the order in which they are told.
var settings = []Setting{ResolveHostnames, AnnounceHostnames, AnnounceIP, AnnouncePort, SentinelUser, SentinelPass}

const yes, no = "yes", "no"

func (c *Client) config(args []string, r *reply) {
	switch {
	case strings.EqualFold(args[0], "get") && len(args) == 2:
		found := slices.DeleteFunc(slices.Clone(settings), func(s Setting) bool { return !matchesFold(args[1], string(s)) })
		r.dict(len(found))
		for _, s := range found {
			r.strings(string(s), c.face.source.Setting(s))
		}
	case strings.EqualFold(args[0], "set") && len(args) == 3:
		c.configSet(args[1], args[2], r)
	default:
		r.error("ERR Only SENTINEL CONFIG GET <option> / SET <option> <value> are supported.")
	}
}

func (c *Client) configSet(option, value string, r *reply) {
	setting := Setting(strings.ToLower(option))
	if !slices.Contains(settings, setting) {
		r.error("ERR Invalid argument '" + short(option) + "' to SENTINEL CONFIG SET")
		return
	}
	checked, ok := setting.check(value)
	if !ok {
		r.error("ERR Invalid value '" + short(value) + "' to SENTINEL CONFIG SET '" + short(option) + "'")
		return
	}
	c.face.source.Configure(setting, checked, awaits(c, r, (*reply).done))
}

// check returns the value as it is printed, if it is a good one.
func (s Setting) check(value string) (checked string, ok bool) {
	switch s {
	case ResolveHostnames, AnnounceHostnames:
		value = strings.ToLower(value)
		return value, value == yes || value == no
	case AnnouncePort:
		n, ok := integer(value)
		return value, ok && n >= 0 && n < 1<<16
	default:
		return value, true
	}
}

// periodNames are Sentinel's.
var periodNames = [Periods]string{
	InfoPeriod: "INFO-PERIOD", PingPeriod: "PING-PERIOD", AskPeriod: "ASK-PERIOD", PublishPeriod: "PUBLISH-PERIOD",
	DefaultDownAfter: "DEFAULT-DOWN-AFTER", DefaultFailoverTimeout: "DEFAULT-FAILOVER-TIMEOUT",
	TiltTrigger: "TILT-TRIGGER", TiltPeriod: "TILT-PERIOD", ReplicaReconfTimeout: "SLAVE-RECONF-TIMEOUT",
	MinLinkReconnectPeriod: "MIN-LINK-RECONNECT-PERIOD", ElectionTimeout: "ELECTION-TIMEOUT",
	ScriptMaxRuntime: "SCRIPT-MAX-RUNTIME", ScriptRetryDelay: "SCRIPT-RETRY-DELAY",
}

// longest is the longest period in milliseconds.
const longest = int64(1<<63-1) / int64(time.Millisecond)

// debug tells the periods, or sets them one after the other, up to the first that is bad.
func (c *Client) debug(args []string, r *reply) {
	if len(args) == 0 {
		r.dict(int(Periods))
		for p, name := range periodNames {
			r.bulk(name)
			r.number(c.face.source.Period(Period(p)).Milliseconds())
		}
		return
	}
	var refused error
	for ; len(args) > 0; args = args[2:] {
		p := slices.IndexFunc(periodNames[:], func(name string) bool { return strings.EqualFold(name, args[0]) })
		if p < 0 || len(args) < 2 {
			r.error("ERR Unknown option or number of arguments for SENTINEL DEBUG '" + short(args[0]) + "'")
			return
		}
		n, ok := integer(args[1])
		if !ok || n < 1 || n > longest {
			r.error("ERR Invalid argument '" + short(args[1]) + "' for SENTINEL DEBUG '" + short(args[0]) + "'")
			return
		}
		if err := c.face.source.SetPeriod(Period(p), time.Duration(n)*time.Millisecond); err != nil && refused == nil {
			refused = err
		}
	}
	r.done(refused)
}
