package sim

import (
	"time"

	"redkeep/internal/decide"
)

// gate is the kernel's packet filter in front of one group's ports on one host. It outlives agents, not boots.
type gate struct {
	w     *World
	host  *host
	group int
	state decide.GateState
	// ends are the true times at which the slots' elements run out; open is that of GateOpen.
	ends [decide.Slots]time.Duration
	open time.Duration
	// flushed says that another program has removed the table; kept is what the hand will restore.
	flushed   bool
	flushedAt time.Duration
}

// serves reports whether a client's packets pass.
func (g *gate) serves() bool {
	if g.flushed {
		return true
	}
	switch g.state.Mode {
	case decide.GateAbsent:
		return true
	case decide.GateSlot:
		return g.w.now < g.ends[g.state.Slot]
	case decide.GateOpen:
		return g.state.For == 0 || g.w.now < g.open
	default:
		return false
	}
}

// admits reports whether the packets of a replication link pass.
func (g *gate) admits(l decide.Link) bool {
	if g.state.Mode == decide.GateReplication {
		for _, k := range g.state.Links {
			if k == l {
				return true
			}
		}
	}
	return g.serves()
}

// answers reports whether a client's answer may leave now (rule reply-gate).
func (g *gate) answers() bool { return g.serves() || g.w.plan.Off.Off(decide.ReplyGate) }

// arm sets a slot's element; it fails for the slot in force.
func (g *gate) arm(slot int, d time.Duration) string {
	if slot < 0 || slot >= len(g.ends) {
		return "no such slot"
	}
	if g.state.Mode == decide.GateSlot && g.state.Slot == slot && !g.w.plan.Off.Off(decide.ArmBeforeSend) {
		g.w.insane(g.host, g.group, "arms slot %d, which the gate points at", slot)
		return "slot in force"
	}
	late := g.w.between(0, 3*g.host.clock.jiffy)
	g.ends[slot] = g.w.now + g.host.clock.span(d) + late
	g.w.dirty(g.group)
	return ""
}

// set changes the state in one transaction.
func (g *gate) set(s decide.GateState) {
	if s.Mode == decide.GateOpen && s.For > 0 {
		g.open = g.w.now + g.host.clock.span(s.For)
	}
	g.state = s
	g.flushed = false
	g.w.dirty(g.group)
}

// lose is a reboot: no table, and so no judgement, unless a unit ordered before the network loads the closed one.
func (g *gate) lose() {
	g.state, g.flushed = decide.GateState{}, false
	g.ends = [decide.Slots]time.Duration{}
	left := g.host.disk.page.registers[g.group].Left
	if g.w.court.Leased(g.w.groups[g.group]) && !left && !g.w.plan.Off.Off(decide.GateAtBoot) {
		g.state.Mode = decide.GateShut
	}
	g.w.dirty(g.group)
}
