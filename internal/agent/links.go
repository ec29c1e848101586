package agent

import (
	"redkeep/internal/decide"
	"redkeep/internal/speak/peermsg"
	"redkeep/internal/words"
)

// onDatagram gives what another agent said to the machines. It runs on the links' reader; the loop reads its clock after
// it takes the event, which is after the packet was received (rule stamp-after-receive).
func (a *Agent) onDatagram(from words.Node, session words.Session, items [][]byte) {
	for _, item := range items {
		name, msg, err := peermsg.Parse(item)
		if err != nil {
			a.misread(from, err)
			continue
		}
		a.offer(name, decide.Received{From: from, Session: session, Message: msg})
	}
}

// misread says once for each peer that it speaks another release's language.
func (a *Agent) misread(from words.Node, err error) {
	if _, told := a.misreads.LoadOrStore(from, true); !told {
		a.log.Warn("message of another agent not understood; bring all nodes to one release", "node", from, "err", err)
	}
}
