package keepalivedconf

import (
	"fmt"
	"strings"
	"time"
)

// script reads a vrrp_script.
func (r *reader) script(s *Statement) {
	name, ok := r.blockName(s)
	if !ok {
		return
	}
	if len(r.config.Scripts) == mostBlocks {
		r.wrong(s.At(), "run the others by another file", "there are more than %d checks", mostBlocks)
		return
	}
	c := Script{Name: name, At: s.At(), Interval: time.Second, Rise: 1, Fall: 1}
	given := false
	r.each(s.Block.Statements, levels["vrrp_script"], func(s *Statement) {
		switch s.Keyword() {
		case "script":
			if command := r.command(s); command != nil {
				c.Command = Command{command.At, command.Args, c.Command.User, c.Command.Group}
				r.arguments(s)
				r.provesLittle(command)
			}
			given = true
		case "interval":
			r.scriptTime(s, &c.Interval)
		case "timeout":
			r.scriptTime(s, &c.Timeout)
		case "weight":
			c.Weight, _ = r.weight(s.Words[1:], s.At(), 253)
		case "rise":
			r.set(&c.Rise, s, 1, 1<<20)
		case "fall":
			r.set(&c.Fall, s, 1, 1<<20)
		case "user":
			if u, ok := r.user(s); ok {
				c.Command.User = u
				if len(s.Words) > 2 {
					c.Command.Group = s.Words[2].Text
				}
			}
		case "init_fail":
			c.InitFail = true
		}
	})
	if !given {
		r.wrong(s.At(), `write script "/path/of/the/check" into it`, "vrrp_script %s has no script", shown(name))
	}
	if c.Timeout == 0 {
		c.Timeout = c.Interval
	}
	if other := r.config.Script(name); other != nil {
		r.wrong(s.At(), "give it another name", "vrrp_script %s is there already, in line %d", shown(name), other.At.Line)
		return
	}
	r.config.Scripts = append(r.config.Scripts, c)
}

// scriptTime reads a time in which keepalived takes no decimals.
func (r *reader) scriptTime(s *Statement, into *time.Duration) {
	d, ok := r.seconds(s, time.Millisecond, time.Hour)
	if !ok {
		return
	}
	if *into = d; d%time.Second != 0 {
		r.warn(s.Words[1].At, "nothing, if no other router of the group is keepalived", "keepalived takes whole seconds for %s, and would not use %s", s.Keyword(), shown(s.Words[1].Text))
	}
}

// provesLittle warns of checks that a server passes which answers nobody.
func (r *reader) provesLittle(c *Command) {
	switch base := c.Args[0][strings.LastIndexByte(c.Args[0], '/')+1:]; base {
	case "killall", "pidof", "pgrep", "kill":
		r.warn(c.At, "ask the server itself: redis-cli ping, and look for PONG", "%s only sees that a process is there: a server that hangs passes", base)
	}
}

// arguments refuses those that keepalived would drop, since only what is in quotes is the program with its arguments.
func (r *reader) arguments(s *Statement) {
	if len(s.Words) <= 2 {
		return
	}
	p := r.wrong(s.Words[2].At, "write the program and its arguments in quotes", "the program is run without the words that follow it")
	p.insert(s.Words[1].At, `"`)
	last := s.Words[len(s.Words)-1].At
	p.insert(Place{File: last.File, from: last.to, to: last.to}, `"`)
	for _, w := range s.Words[1:] {
		if w.Quoted {
			p.Repair = nil
		}
	}
}

// blockName is the one word between a keyword and its brace.
func (r *reader) blockName(s *Statement) (string, bool) {
	if s.Name() == "" {
		r.wrong(s.At(), "write a name between it and the brace", "%s has no name", s.Keyword())
		return "", false
	}
	r.noMore(s, 2)
	return s.Name(), true
}

// weight reads a number and perhaps the word reverse.
func (r *reader) weight(list []Word, at Place, most int) (Weight, bool) {
	if len(list) == 0 {
		r.wrong(at, fmt.Sprintf("write a number from -%d to %d after it", most, most), "weight has no value")
		return Weight{}, false
	}
	n, ok := r.numberOf(list[0], "weight", -most, most)
	w := Weight{Value: n}
	for _, extra := range list[1:] {
		if extra.Text == "reverse" {
			w.Reverse = true
			continue
		}
		r.wrong(extra.At, "take it away, or write reverse", "weight has no such word: %q", shown(extra.Text))
	}
	return w, ok
}

// process reads a vrrp_track_process.
func (r *reader) process(s *Statement) {
	name, ok := r.blockName(s)
	if !ok {
		return
	}
	if len(r.config.Processes) == mostBlocks {
		r.wrong(s.At(), "run the others by another file", "there are more than %d checks for processes", mostBlocks)
		return
	}
	p := Process{Name: name, At: s.At(), Quorum: 1}
	r.each(s.Block.Statements, levels["vrrp_track_process"], func(s *Statement) {
		switch s.Keyword() {
		case "process":
			for _, w := range s.Words[1:] {
				p.Args = append(p.Args, w.Text)
			}
		case "full_command":
			p.FullCommand = true
		case "weight":
			p.Weight, _ = r.weight(s.Words[1:], s.At(), 254)
		case "quorum":
			r.set(&p.Quorum, s, 1, 65535)
		case "delay":
			if d, ok := r.seconds(s, 0, time.Hour); ok {
				p.ForkDelay, p.TerminateDelay = d, d
			}
		case "fork_delay":
			p.ForkDelay, _ = r.seconds(s, 0, time.Hour)
		case "terminate_delay":
			p.TerminateDelay, _ = r.seconds(s, 0, time.Hour)
		}
	})
	if len(p.Args) == 0 {
		r.wrong(s.At(), "write process NAME into it", "vrrp_track_process %s names no process", shown(name))
	}
	if other := r.config.Process(name); other != nil {
		r.wrong(s.At(), "give it another name", "vrrp_track_process %s is there already, in line %d", shown(name), other.At.Line)
		return
	}
	r.config.Processes = append(r.config.Processes, p)
}
