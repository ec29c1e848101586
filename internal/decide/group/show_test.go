package group

import (
	"fmt"
	"strings"

	"redkeep/internal/decide"
	"redkeep/internal/words"
)

func (s *stand) say(n words.Node, line string) {
	if n != "" {
		line = string(n) + "  " + line
	}
	fmt.Fprintf(&s.out, "%s  %s\n", s.elapsed(), line)
}

// show prints an action that a reader follows the history by. Beats, grants, statuses, arming and what goes to the disk are
// left out, and the gate only shows when its mode changes.
func (s *stand) show(h *host, a decide.Action) {
	switch act := a.(type) {
	case decide.SetGate:
		if act.Gate.Mode == h.gate.Mode && !s.fails[string(h.name)+" gate"] {
			return
		}
		name := act.Gate.String()
		if act.Gate.Mode == decide.GateSlot {
			name = "slot"
		}
		s.say(h.name, "gate: "+name)
	case decide.ProbeVIP:
		s.say(h.name, "vip: probe")
	case decide.SetVIP:
		s.showVIP(h, act)
	case decide.AnnounceVIP:
		s.say(h.name, "vip: announce")
	case decide.Instruct:
		s.say(h.name, "order: "+orderName(act.Order))
	case decide.Announce:
		s.say(h.name, fmt.Sprintf("+switch-master %q to %s, epoch %d", act.Old, act.New, act.Epoch))
	case decide.Note:
		s.say(h.name, act.Reason.String())
	case decide.Reply:
		s.say(h.name, fmt.Sprintf("reply %d: %s", act.ID, orOK(act.Err)))
	case decide.Halt:
		s.say(h.name, "HALT "+act.Reason.String())
	case decide.Send:
		line := fmt.Sprintf("%s to %s", messageName(act.Message), act.To)
		for _, t := range s.talk {
			if strings.HasPrefix(line, t) {
				s.say(h.name, line)
			}
		}
	}
}

// showVIP leaves refreshes out.
func (s *stand) showVIP(h *host, act decide.SetVIP) {
	switch {
	case !act.Up:
		s.say(h.name, "vip: down")
	case act.Fresh:
		s.say(h.name, fmt.Sprintf("vip: up for %v, after a takeover", act.For))
	case !s.has(h) || s.fails[string(h.name)+" vip"]:
		s.say(h.name, fmt.Sprintf("vip: up for %v", act.For))
	}
}

func orOK(err string) string {
	if err == "" {
		return "ok"
	}
	return err
}

func orderName(o decide.Order) string {
	switch o := o.(type) {
	case decide.Follow:
		return "follow " + string(o.Node)
	case decide.AwaitOffset:
		return fmt.Sprintf("await offset %d", o.Offset)
	}
	return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", o), "decide."))
}

func messageName(m decide.Message) string {
	switch m := m.(type) {
	case decide.Vote:
		return fmt.Sprintf("vote %d", m.Epoch)
	case decide.Voted:
		return fmt.Sprintf("voted %d", m.Epoch)
	case decide.PreVote:
		return "pre-vote"
	case decide.PreVoted:
		if m.Yes {
			return "pre-voted yes"
		}
		return "pre-voted no: " + m.Reason.String()
	case decide.Release:
		return fmt.Sprintf("release %d %s", m.Epoch, m.Reason.Code)
	case decide.Refuse:
		return fmt.Sprintf("refuse %d: %s", m.Epoch, m.Reason)
	}
	return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", m), "decide."))
}

// table prints each node in a line.
func (s *stand) table() {
	for _, h := range s.hosts {
		line := string(h.name) + "  "
		if h.machine == nil {
			line += "no agent"
		} else {
			p := h.machine.Picture()
			line += fmt.Sprintf("%s, master %q of epoch %d", p.State, p.Master, p.Epoch)
			if p.Ready {
				line += ", could fail over"
			}
			if !p.VIPWhy.Zero() {
				line += ", " + p.VIPWhy.String()
			}
			if p.Writable && len(p.Why) > 0 && (p.Why[0].Code == words.ServerDisk || p.Why[0].Code == words.NoLink || p.Why[0].Code == words.NotInSync) {
				line += ", though " + p.Why[0].String()
			}
			if !p.Writable && len(p.Why) > 0 {
				line += ", since " + p.Why[0].String()
			}
		}
		if s.setup.IsData(h.name) {
			line += "; " + s.serverLine(h)
		}
		if s.has(h) {
			line += ", has the address"
		}
		fmt.Fprintln(&s.out, line)
	}
}

func (s *stand) serverLine(h *host) string {
	if !h.alive {
		return "no server"
	}
	line := fmt.Sprintf("%s at %d", h.server.Role, h.server.Offset)
	if m := s.master(h); m != nil {
		line = fmt.Sprintf("replica of %s at %d", m.name, h.server.Offset)
	} else if h.server.Fenced() {
		line = fmt.Sprintf("at the dead end at %d", h.server.Offset)
	}
	if h.server.Cluster {
		line += " in cluster mode"
	}
	if s.open(h) {
		return line + ", gate open"
	}
	return line + ", gate shut"
}
