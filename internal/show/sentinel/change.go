package sentinel

import (
	"net/netip"
	"strings"

	"redkeep/internal/syntax"
)

// The subcommands of SENTINEL that change which masters there are, what is done with them, and how.

// failover may have a word behind the name where the commands are those of Valkey 9.
func (c *Client) failover(args []string, r *reply) {
	coordinated := len(args) > 1
	switch {
	case len(args) > 2:
		r.error(wrongArity(c.last))
	case coordinated && !strings.EqualFold(args[1], "coordinated"):
		r.error("ERR Unknown failover option specified")
	default:
		c.face.source.Failover(args[0], coordinated, awaits(c, r, (*reply).done))
	}
}

func (c *Client) flushConfig(_ []string, r *reply) {
	c.face.source.Flush(awaits(c, r, (*reply).done))
}

// unprintable words the error about an argument that would break the line of a configuration which it is saved in; "" where there
// is none. at is the place of the first argument in its request.
func unprintable(args []string, at int, command string) string {
	for i, a := range args {
		if strings.ContainsFunc(a, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return "ERR Invalid argument at index " + itoa(at+i) + " for SENTINEL " + command + ": control characters are not allowed"
		}
	}
	return ""
}

func (c *Client) monitor(args []string, r *reply) {
	if problem := unprintable(args, 2, "MONITOR"); problem != "" {
		r.error(problem)
		return
	}
	quorum, ok := integer(args[3])
	if !ok {
		r.error("ERR Invalid quorum")
		return
	}
	port, ok := integer(args[2])
	if !ok {
		r.error("ERR Invalid port")
		return
	}
	_, err := netip.ParseAddr(args[1])
	switch {
	case err != nil && c.face.source.Setting(ResolveHostnames) != yes:
		r.refuse(ErrBadHost)
	case quorum < 1:
		r.error("ERR Quorum must be 1 or greater.")
	case port < 0 || port >= 1<<16:
		r.error("ERR Invalid port number.")
	default:
		m := Monitor{Name: args[0], Host: args[1], Port: int(port), Quorum: int(quorum)}
		c.face.source.Monitor(m, awaits(c, r, (*reply).done))
	}
}

func (c *Client) remove(args []string, r *reply) {
	c.face.source.Remove(args[0], awaits(c, r, (*reply).done))
}

func (c *Client) reset(args []string, r *reply) {
	r.integer(int64(c.face.source.Reset(func(name string) bool { return syntax.Match(args[0], name) })))
}

// set gives the source the options up to the first that is bad. What the source has against one of those is told rather than
// what is bad behind it, unless nothing could ever be done.
func (c *Client) set(args []string, r *reply) {
	if problem := unprintable(args[1:], 3, "SET"); problem != "" {
		r.error(problem)
		return
	}
	options, problem := parseOptions(args[1:])
	c.face.source.Set(args[0], options, awaits(c, r, func(r *reply, err error) {
		if problem != "" && (err == nil || never(err)) {
			r.error(problem)
			return
		}
		r.done(err)
	}))
}

// least is what each option that is a number has to be at least.
var least = map[string]int64{
	OptionDownAfter: 1, OptionFailoverTimeout: 1, OptionParallelSyncs: 1, OptionQuorum: 1, OptionRebootPeriod: 0,
}

// parseOptions returns the options before the first that is bad, and what is to be told of that.
func parseOptions(args []string) (options []Option, problem string) {
	for len(args) > 0 {
		o := Option{Name: strings.ToLower(args[0]), Typed: args[0]}
		values := 1
		switch o.Name {
		case OptionRenameCommand:
			values = 2
		case OptionNotificationScript, OptionReconfigScript, OptionAuthPass, OptionAuthUser:
		default:
			if _, numeric := least[o.Name]; !numeric {
				values = len(args) // more than there are
			}
		}
		if len(args) <= values {
			return options, "ERR Unknown option or number of arguments for SENTINEL SET '" + shown(o.Typed) + "'"
		}
		o.Value = args[1]
		if values == 2 {
			o.To = args[2]
		}
		if bad, ok := o.check(); !ok {
			return options, "ERR Invalid argument '" + shown(bad) + "' for SENTINEL SET '" + shown(o.Typed) + "'"
		}
		options = append(options, o)
		args = args[1+values:]
	}
	return options, ""
}

// check returns the value that is bad.
func (o *Option) check() (bad string, ok bool) {
	lowest, numeric := least[o.Name]
	switch {
	case numeric:
		o.Number, ok = integer(o.Value)
		return o.Value, ok && o.Number >= lowest
	case o.Name == OptionRenameCommand && (o.Value == "" || o.To == ""):
		return "", false
	default:
		return "", true
	}
}

// simulateFailure replaces what was simulated in any case, by what comes before a word that is none.
func (c *Client) simulateFailure(args []string, r *reply) {
	var failures Failures
	for _, a := range args {
		switch strings.ToLower(a) {
		case "crash-after-election":
			failures |= CrashAfterElection
		case "crash-after-promotion":
			failures |= CrashAfterPromotion
		case "help":
			_ = c.face.source.Simulate(failures) // it is not asked whether that is done
			r.array(2)
			r.strings("crash-after-election", "crash-after-promotion")
			return
		default:
			_ = c.face.source.Simulate(failures)
			r.error("ERR Unknown failure simulation specified")
			return
		}
	}
	r.done(c.face.source.Simulate(failures))
}
