package stage

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"redkeep/internal/stage/wire"
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

// fixedDialTimeout is how long an application that knows one address waits for its connection. The SYN that went to a
// host which has let the address go stays without an answer, and Linux sends the next after a second: a client that
// waits for it measures that second and not the move. So this one gives up and dials again; its gaps are longer than
// the truth by at most this. It is long beside the way between two hosts of one machine, some 0.1 ms.
const fixedDialTimeout = 20 * time.Millisecond

// WriteFixed starts a writer on the client host that knows one address, as an application that never heard of Sentinel:
// after an error, a refusal or silence it dials again, 1 ms later. The Node of its writes is the host's own address, so
// that they compare with those of other writers. It sets the options' Finder.
func (s *Stage) WriteFixed(ctx context.Context, at netip.AddrPort, o writer.Options) (*writer.Writer, error) {
	o.Finder = writer.Fixed(at)
	if o.DialTimeout == 0 {
		o.DialTimeout = fixedDialTimeout
	}
	if o.Identify == nil {
		o.Identify = s.Whose
	}
	return s.Write(ctx, o)
}

// Whose asks a server of this stage, over a connection to whatever address, on which host it runs. Its configuration's
// path says so. The answer is the host's own IPv4 address, with the port that was dialled.
func (s *Stage) Whose(conn *wire.Conn, within time.Duration) (netip.AddrPort, error) {
	answer, err := conn.Do(within, "INFO", "server")
	if err != nil {
		return netip.AddrPort{}, err
	}
	for line := range strings.Lines(answer.Text) {
		path, ok := strings.CutPrefix(line, "config_file:")
		if !ok {
			continue
		}
		for _, h := range s.hosts {
			if filepath.Base(filepath.Dir(strings.TrimSpace(path))) == h.name {
				return h.Port(conn.Peer().Port()), nil
			}
		}
	}
	return netip.AddrPort{}, fmt.Errorf("ask %s whose it is: no server of this stage", conn.Peer())
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
