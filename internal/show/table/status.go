package table

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/speak/explain"
	"redkeep/internal/words"
)

// Status prints what the node sees of all its groups. Its only errors are those of w.
func Status(w io.Writer, n picture.Node, s Style) error {
	p := &page{to: w, style: s}
	p.line("", "seen by %s, redkeep %s", n.Node, or(n.Version, "of unknown release"))
	for _, g := range n.Groups {
		p.line("", "")
		p.group(n, g)
	}
	if len(n.Groups) == 0 {
		p.line("", "it has no groups")
	}
	return p.err
}

// Lost prints that the agent has not answered for a while, and why. Its only errors are those of w.
func Lost(w io.Writer, why error, since time.Duration, s Style) error {
	p := &page{to: w, style: s}
	p.line("", "%s for %s, it is asked again", s.paint(red, "the agent does not answer"), span(since))
	p.line("  ", "- %s", explain.Printable(why.Error()))
	return p.err
}

// page is what is being printed; it keeps the first error.
type page struct {
	to    io.Writer
	style Style
	err   error
}

func (p *page) line(indent, format string, args ...any) {
	if p.err == nil {
		_, p.err = io.WriteString(p.to, strings.TrimRight(indent+fmt.Sprintf(format, args...), " ")+"\n")
	}
}

// group prints one group: its headline, what follows from it, its nodes.
func (p *page) group(n picture.Node, g picture.Group) {
	p.line("", "%s", p.headline(g))
	p.pause(g)
	p.failover(g)
	p.addresses(g)
	if g.Pair && g.State != picture.StateLeft {
		p.line("  ", "a pair: two nodes have no majority; if the network between them breaks, both take writes, and those of one are lost")
	}
	p.remarks(n, g)
	p.line("", "")
	if p.err == nil {
		p.err = p.members(g).write(p.to, "  ")
	}
}

// headline says who is master and whether it takes writes.
func (p *page) headline(g picture.Group) string {
	name := p.style.paint(bold, string(g.Name))
	switch {
	case g.State == picture.StateLeft:
		return name + ": redkeep has left this group"
	case g.Writable && diskFails(g):
		return fmt.Sprintf("%s: %s is master, but %s (epoch %d, %s)",
			name, g.Master, p.style.paint(red, "refuses writes"), g.Epoch, lease(g))
	case g.Writable:
		return fmt.Sprintf("%s: %s is master and %s (epoch %d, %s)",
			name, g.Master, p.style.paint(green, "writable"), g.Epoch, lease(g))
	case g.Master != "":
		return fmt.Sprintf("%s: %s; the last master was %s (epoch %d)", name, p.style.paint(red, "not writable"), g.Master, g.Epoch)
	default:
		return fmt.Sprintf("%s: %s, there is no master (epoch %d)", name, p.style.paint(red, "not writable"), g.Epoch)
	}
}

// diskFails reports whether the master's server refuses what its gate lets through.
func diskFails(g picture.Group) bool {
	m, _ := g.Member(g.Master)
	return m.Server.DiskFails
}

// pause says that nobody would take a lost master's place, first of all.
func (p *page) pause(g picture.Group) {
	if g.Pause.Left <= 0 {
		return
	}
	c := yellow
	if !g.Writable {
		c = red
	}
	why := ""
	if g.Pause.Text != "" {
		why = ": " + explain.Printable(g.Pause.Text)
	}
	p.line("  ", "%s for %s more by %s%s; go on with: redkeep resume",
		p.style.paint(c, "no failover: paused"), span(g.Pause.Left), g.Pause.By, why)
}

// lease prints what is left where that is known: on the master's own node.
func lease(g picture.Group) string {
	if g.HoldLeft > 0 {
		return fmt.Sprintf("lease %v, %d ms left", g.Lease, g.HoldLeft.Milliseconds())
	}
	return fmt.Sprintf("lease %v", g.Lease)
}

// failover answers whether one could succeed now, and why not or what the group waits for.
func (p *page) failover(g picture.Group) {
	switch {
	case g.State == picture.StateLeft:
		return
	case g.Ready:
		p.line("  ", "could fail over now: %s%s", p.style.paint(green, "yes"), winner(g))
	default:
		p.line("  ", "could fail over now: %s", p.style.paint(red, "no"))
	}
	if !g.Writable {
		p.line("  ", "what %s does: %s", g.Self, g.State)
	}
	for _, r := range g.Why {
		if r.Code == words.Paused {
			continue // it has a line of its own
		}
		c := plain
		if r.Code == words.ServerDisk {
			c = red
		}
		p.line("  ", "- %s", p.style.paint(c, explain.Sentence(r)))
		if r.Code == words.ServersDiffer {
			p.holdings(g)
		}
	}
}

// holdings lists what each server holds, for the person who has to choose among them.
func (p *page) holdings(g picture.Group) {
	for _, m := range sorted(g.Members) {
		if !m.Data || !m.Known {
			continue
		}
		role := m.Server.Role.String()
		if m.Server.Role == words.RoleReplica {
			role = fmt.Sprintf("replica of %s:%d", m.Server.Master, m.Server.MasterPort)
		}
		p.line("    ", "%s: %s, keys %d, history %.8s, offset %d", m.Node, role, m.Server.Keys, or(string(m.Server.ReplID), "unknown"), m.Server.Offset)
	}
}

// winner names whom the next election would choose.
func winner(g picture.Group) string {
	for _, c := range g.Candidates {
		if c.Place == 1 {
			return ", to " + string(c.Node)
		}
	}
	return ""
}

// addresses says where the group's virtual addresses are, as the asked node has them.
func (p *page) addresses(g picture.Group) {
	for _, v := range g.VIPs {
		name := v.Addr.String()
		switch {
		case g.State == picture.StateLeft && v.Held:
			p.line("  ", "address %s: %s on %s (%s), and nobody moves it any more", name, p.style.paint(yellow, "still"), g.Self, or(v.Dev, "no interface"))
		case g.State == picture.StateLeft:
			p.line("  ", "address %s: not on %s, and nobody moves it any more", name, g.Self)
		case v.Held && v.Trouble == "":
			p.line("  ", "address %s: %s on %s (%s)", name, p.style.paint(green, "here"), g.Self, or(v.Dev, "no interface"))
		case v.Held:
			p.line("  ", "address %s: %s on %s (%s), %s", name, p.style.paint(yellow, "here"), g.Self, v.Dev, explain.Printable(v.Trouble))
		case v.Trouble != "":
			p.line("  ", "address %s: %s on %s, %s", name, p.style.paint(red, "missing"), g.Self, explain.Printable(v.Trouble))
		case g.Master == g.Self && g.Writable:
			p.line("  ", "address %s: %s on %s", name, p.style.paint(red, "missing"), g.Self)
		case g.Writable:
			p.line("  ", "address %s: not on %s, it goes with the master on %s", name, g.Self, g.Master)
		default:
			p.line("  ", "address %s: not on %s", name, g.Self)
		}
	}
	why := explain.Sentence(g.VIPWhy)
	if why != "" && g.State != picture.StateLeft && !slices.ContainsFunc(g.VIPs, func(v picture.VIP) bool { return v.Trouble == why }) {
		p.line("  ", "- %s", why)
	}
}

// remarks are what a person should know and would not see in the table.
func (p *page) remarks(n picture.Node, g picture.Group) {
	warn := func(format string, args ...any) {
		p.line("  ", "%s %s", p.style.paint(yellow, "!"), fmt.Sprintf(format, args...))
	}
	if g.GateMode != "" && g.GateMode != "on" {
		warn("gate: %s in redkeep.yaml, so that nothing keeps an old master from taking writes", g.GateMode)
	}
	if g.FenceWhy != "" && g.Fence != words.FenceHard {
		warn("fence of %s: %s, %s", g.Self, g.Fence, g.FenceWhy)
	}
	for _, m := range sorted(g.Members) {
		if bornOpen(g, m) {
			warn("%s's server may start as a master without redkeep: its file lacks the line \"replicaof %s %d\", or the agent's user can't read it; "+
				"let that user write in the file's directory, or write the line at the file's end", m.Node, words.DeadEnd, words.DeadEndPort)
		}
		if full := (words.Reason{Code: words.ServerDisk, Node: m.Node}); m.Server.DiskFails && !slices.Contains(g.Why, full) {
			warn("%s's server can't write its data to disk, and would refuse writes as master (MISCONF); free space there, and look at its log", m.Node)
		}
		p.differs(g, m, warn)
		if leftOut(m) && !slices.Contains(g.Why, m.Unfit) {
			warn("%s", explain.Sentence(m.Unfit))
		}
		if m.Version != "" && n.Version != "" && m.Version != n.Version {
			warn("%s runs redkeep %s", m.Node, m.Version)
		}
	}
}

// leftOut reports whether a node or its server takes no part for a reason that does not pass by itself.
func leftOut(m picture.Member) bool {
	switch m.Unfit.Code {
	case words.PeerRefused, words.ServerCluster, words.ServerActive:
		return true
	}
	return false
}

// differs says in what a node's file is another than the asked node's, as far as both could be asked: its own value comes second.
func (p *page) differs(g picture.Group, m picture.Member, warn func(string, ...any)) {
	switch {
	case m.Differs:
		warn("%s defines this group otherwise than %s; use the same redkeep.yaml on all nodes", m.Node, g.Self)
	case m.OtherSettings:
		warn("%s has other settings than %s; use the same redkeep.yaml on all nodes", m.Node, g.Self)
	}
	for _, d := range m.Differences {
		p.line("    ", "- %s", explain.Printable(d))
	}
}

// bornOpen reports whether a server's own file lets it start as a master. Agents see to that file within seconds of the
// first lease; what is left then is for a person.
func bornOpen(g picture.Group, m picture.Member) bool {
	return g.State != picture.StateLeft && g.Epoch > 0 && m.Data && m.Fit && m.Known && !m.Server.BornFenced
}

// members is the table of the group's nodes, by name, so that it is the same wherever it is asked for.
func (p *page) members(g picture.Group) grid {
	t := grid{style: p.style, right: map[int]bool{3: true, 4: true}}
	var heads []cell
	for _, h := range []string{"NODE", "ROLE", "STATE", "OFFSET", "LAG", "FENCE", "GATE", "HEARD"} {
		heads = append(heads, cell{h, bold})
	}
	t.rows = append(t.rows, heads)
	for _, m := range sorted(g.Members) {
		role, offset, lag := "witness", "-", "-"
		if m.Data {
			role = "unknown"
		}
		if m.Known {
			role, offset = m.Server.Role.String(), fmt.Sprint(int64(m.Server.Offset))
		}
		if m.Lag >= 0 && m.Node != g.Master {
			lag = fmt.Sprint(m.Lag)
		}
		master, behind := plain, plain
		if m.Node == g.Master {
			master = bold
		}
		if m.Lag > 0 && !m.InSync {
			behind = yellow
		}
		t.rows = append(t.rows, []cell{
			{string(m.Node), master}, {role, master}, condition(g, m), {offset, plain}, {lag, behind},
			fence(m), {or(m.Gate, "-"), plain}, {heard(g, m), plain},
		})
	}
	return t
}

func sorted(members []picture.Member) []picture.Member {
	out := slices.Clone(members)
	slices.SortFunc(out, func(a, b picture.Member) int { return strings.Compare(string(a.Node), string(b.Node)) })
	return out
}

// short words for what keeps a server from being of use.
var conditions = map[words.Code]cell{
	words.NotSeen:       {"not seen", red},
	words.ServerGone:    {"down", red},
	words.ServerSilent:  {"silent", red},
	words.ServerStopped: {"stopped", red},
	words.ServerBusy:    {"busy", yellow},
	words.ServerLoading: {"loading", yellow},
	words.ServerSyncing: {"syncing", yellow},
	words.ServerEmpty:   {"empty", red},
	words.ServerForeign: {"foreign data", red},
	words.ServerCluster: {"cluster mode", red},
	words.ServerActive:  {"active replica", red},
	words.Unreachable:   {"unreachable", red},
	words.PeerRefused:   {"refused", red},
	words.Banned:        {"banned", yellow},
}

// condition says in a word or two how the node's server is.
func condition(g picture.Group, m picture.Member) cell {
	c, special := conditions[m.Unfit.Code]
	switch {
	case !m.Data && m.Unfit.Code != words.Unreachable && m.Unfit.Code != words.PeerRefused && (m.Heard >= 0 || m.Node == g.Self):
		return cell{"votes", plain}
	case special:
		return c
	case !m.Known:
		return cell{"unknown", yellow}
	case m.Node == g.Master && m.Server.Role == words.RoleMaster && g.Writable && m.Server.DiskFails:
		return cell{"refuses writes", red}
	case m.Node == g.Master && m.Server.Role == words.RoleMaster && g.Writable:
		return cell{"writable", green}
	case g.State == picture.StateLeft:
		return cell{"let be", plain}
	case m.Server.Role == words.RoleMaster && g.Epoch == 0:
		// The group was never leased, and nothing keeps clients from writing.
		return cell{"as found", yellow}
	case m.Server.Role == words.RoleMaster:
		return cell{"not writable", red}
	case m.Server.Fenced():
		return cell{"fenced", yellow}
	case !m.Server.LinkUp:
		return cell{"link down", yellow}
	case m.InSync:
		return cell{"in sync", green}
	default:
		return cell{"behind", yellow}
	}
}

func fence(m picture.Member) cell {
	switch {
	case !m.Data:
		return cell{"-", plain}
	case m.Fence == words.FenceHard:
		return cell{m.Fence.String(), green}
	default:
		return cell{m.Fence.String(), yellow}
	}
}

// heard says how old what is told of the node is.
func heard(g picture.Group, m picture.Member) string {
	switch {
	case m.Node == g.Self:
		return "this node"
	case m.Heard < 0:
		return "never"
	default:
		return ago(m.Heard)
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
