package agent

import (
	"errors"
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/speak/seal"
	"redkeep/internal/words"
)

// refusedFor is how long ago the last refused datagram may be that explains why a node is not heard.
const refusedFor = 5 * time.Second

// nameRefusals says of nodes that are not heard, although something comes in their names, why that is refused: to look for a
// broken network would be of no use.
func (a *Agent) nameRefusals(p *picture.Group) {
	if a.peer == nil {
		return // nothing has been heard yet, from anybody
	}
	refused := map[words.Node]words.Reason{}
	for i := range p.Members {
		m := &p.Members[i]
		if m.Node == p.Self || m.Heard >= 0 && m.Heard < 2*p.Lease {
			continue
		}
		if why := a.peer.Refused(m.Node, refusedFor); why != nil {
			m.Unfit = words.Reason{Code: words.PeerRefused, Node: m.Node, Text: inWords(why)}
			refused[m.Node] = m.Unfit
		}
	}
	if len(refused) == 0 {
		return
	}
	instead := func(r *words.Reason) {
		if why, ok := refused[r.Node]; ok && r.Code == words.Unreachable {
			*r = why
		}
	}
	for i := range p.Why {
		instead(&p.Why[i])
	}
	for i := range p.Candidates {
		instead(&p.Candidates[i].Out)
	}
}

func inWords(why error) string {
	if errors.Is(why, seal.ErrTwin) {
		return "two agents run in its name, with one state directory or copies of it"
	}
	return "it was made with another secret, or for another node"
}
