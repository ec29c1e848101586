package sentinel

import (
	"slices"
	"strings"
	"time"

	"redkeep/internal/syntax"
)

// SENTINEL CONFIG and SENTINEL DEBUG: what holds for all groups.

// settingsOf are those of SENTINEL CONFIG, in the order in which they are told.
func settingsOf(f Flavor) []Setting {
	all := []Setting{ResolveHostnames, AnnounceHostnames, AnnounceIP, AnnouncePort, SentinelUser, SentinelPass}
	if f >= Redis72 {
		all = append(all, LogLevel)
	}
	return all
}

const yes, no = "yes", "no"

// config is about one setting.
func (c *Client) config(args []string, r *reply) {
	switch {
	case strings.EqualFold(args[0], "get") && len(args) == 2:
		c.configGet(args[1:], r)
	case strings.EqualFold(args[0], "set") && len(args) == 3:
		c.configSet(args[1:], r)
	default:
		r.error("ERR Only SENTINEL CONFIG GET <option> / SET <option> <value> are supported.")
	}
}

// configs is about several.
func (c *Client) configs(args []string, r *reply) {
	switch {
	case strings.EqualFold(args[0], "get"):
		c.configGet(args[1:], r)
	case strings.EqualFold(args[0], "set") && len(args) > 2:
		c.configSet(args[1:], r)
	default:
		r.error("ERR Only SENTINEL CONFIG GET <param> [<param> <param> ...] / SET <param> <value> [<param> <value> ...] are supported.")
	}
}

// configGet tells the settings that patterns cover, each once.
func (c *Client) configGet(patterns []string, r *reply) {
	var found []Setting
	for _, p := range patterns {
		for _, s := range c.face.dialect.settings {
			if syntax.MatchFold(p, string(s)) && !slices.Contains(found, s) {
				found = append(found, s)
			}
		}
	}
	r.dict(len(found))
	for _, s := range found {
		r.strings(string(s), c.face.source.Setting(s))
	}
}

// assigned is a setting with its new value.
type assigned struct {
	setting Setting
	value   string
}

// configSet changes settings, if all that is asked for is good.
func (c *Client) configSet(args []string, r *reply) {
	all, problem := c.parseSettings(args)
	if bad := unprintable(args, 3, "CONFIG SET"); bad != "" {
		problem = bad
	}
	if problem != "" {
		r.error(problem)
		return
	}
	c.assign(all, awaits(c, r, (*reply).done))
}

// assign changes one setting after the other, up to the first that can't be saved.
func (c *Client) assign(all []assigned, answer func(error)) {
	c.face.source.Configure(all[0].setting, all[0].value, func(err error) {
		if err != nil || len(all) == 1 {
			answer(err)
			return
		}
		c.assign(all[1:], answer)
	})
}

// parseSettings reads pairs of settings and values.
func (c *Client) parseSettings(args []string) (all []assigned, problem string) {
	for ; len(args) > 0; args = args[2:] {
		s := Setting(strings.ToLower(args[0]))
		switch {
		case !slices.Contains(c.face.dialect.settings, s):
			return nil, "ERR Invalid argument '" + shown(args[0]) + "' to SENTINEL CONFIG SET"
		case slices.ContainsFunc(all, func(a assigned) bool { return a.setting == s }):
			return nil, "ERR Duplicate argument '" + shown(args[0]) + "' to SENTINEL CONFIG SET"
		case len(args) < 2:
			return nil, "ERR Missing argument '" + shown(args[0]) + "' value"
		}
		value, ok := s.check(args[1])
		if !ok {
			return nil, "ERR Invalid value '" + shown(args[1]) + "' to SENTINEL CONFIG SET '" + shown(args[0]) + "'"
		}
		all = append(all, assigned{s, value})
	}
	return all, ""
}

// check returns the value as it is printed, if it is a good one.
func (s Setting) check(value string) (checked string, ok bool) {
	switch s {
	case ResolveHostnames, AnnounceHostnames:
		value = strings.ToLower(value)
		return value, value == yes || value == no
	case LogLevel:
		value = strings.ToLower(value)
		return value, slices.Contains([]string{"debug", "verbose", "notice", "warning", "nothing"}, value)
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
			r.error("ERR Unknown option or number of arguments for SENTINEL DEBUG '" + shown(args[0]) + "'")
			return
		}
		n, ok := integer(args[1])
		if !ok || n < 1 || n > longest {
			r.error("ERR Invalid argument '" + shown(args[1]) + "' for SENTINEL DEBUG '" + shown(args[0]) + "'")
			return
		}
		if err := c.face.source.SetPeriod(Period(p), time.Duration(n)*time.Millisecond); err != nil && refused == nil {
			refused = err
		}
	}
	r.done(refused)
}
