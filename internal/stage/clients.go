package stage

import (
	"context"
	"net/netip"
	"time"

	"redkeep/internal/stage/writer"
)

// FacePort is the port of Sentinel and of Redkeep's Sentinel face.
const FacePort = 26379

// Ports returns one port at the address of every node's host.
func (s *Stage) Ports(port uint16) []netip.AddrPort {
	var all []netip.AddrPort
	for _, h := range s.Hosts() {
		all = append(all, h.Port(port))
	}
	return all
}

// FindByRole returns a finder that asks every host's server on that port for its role.
func (s *Stage) FindByRole(port uint16) writer.Finder {
	return writer.Roles{Dial: s.Client().Dial, Servers: s.Ports(port)}
}

// FindBySentinel returns a finder that asks every host's Sentinel face for the master of that name. The caller closes it.
func (s *Stage) FindBySentinel(master string) writer.Finder {
	return writer.NewSentinel(s.Client().Dial, s.Ports(FacePort), master)
}

// Write starts a writer on the client host.
func (s *Stage) Write(ctx context.Context, o writer.Options) (*writer.Writer, error) {
	o.Dial = s.Client().Dial
	return writer.Start(ctx, o)
}

// Probe starts a writer on the client host that tries to write to one host's server without pause, master or not, and
// keeps its connection when it is refused: two masters show as acknowledgements of two nodes. Of its own it writes one key.
func (s *Stage) Probe(ctx context.Context, host string, port uint16, interval time.Duration) (*writer.Writer, error) {
	h := s.Host(host)
	return s.Write(ctx, writer.Options{
		Finder: writer.Fixed(h.Port(port)), Name: "probe-" + h.name, Keys: 1, Stay: true, Interval: interval,
	})
}
