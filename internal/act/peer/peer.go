package peer

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"redkeep/internal/speak/seal"
	"redkeep/internal/words"
)

// CommandLine is the name under which the command line dials an agent. No node may have it.
const CommandLine = "cli"

// Config is what Open needs. Nothing of it changes afterwards.
type Config struct {
	// Self is this node's name, and Session this start's number, already on disk.
	Self    words.Node
	Session words.Session
	// Listen is this node's own address, so that what is sent has it as its source. Port 0 lets the kernel choose.
	Listen netip.AddrPort
	// Peers are the other nodes. An entry for Self is ignored.
	Peers map[words.Node]netip.AddrPort
	// Secret is what all nodes share.
	Secret []byte
	// Mark is set on every socket (SO_MARK, needs CAP_NET_ADMIN); 0 for none.
	Mark uint32
	// OnDatagram is called for each genuine datagram, after it was read, in the order of arrival. The items are valid
	// until it returns. It must not block.
	OnDatagram func(from words.Node, session words.Session, items [][]byte)
	// OnAsk answers one request of who, a name that its caller chose and only the secret vouches for. Each reply sends
	// one part of the answer at once; a nil return ends it, an error is told to the caller. The request is valid until
	// it returns, and ctx ends when the caller has gone or the Peer closes.
	OnAsk func(ctx context.Context, who string, request []byte, reply func(part []byte) error) error
	// OnOutlived is called when a peer has heard of a later session of this node than this one, or of another process
	// with the same: the state directory was rolled back or copied. It must not block.
	OnOutlived func(by words.Node, heard words.Session)
	// OnSilence is called with the address of a peer that has let datagrams go unanswered, from whichever goroutine sends the next one: 30 times
	// at most until it answers or the network is gone, and 20 times a second at most. It must not block. nil is nobody.
	OnSilence func(peer netip.Addr)
	// Log gets what strangers do, at most once a second for each address; nil for no log.
	Log *slog.Logger
}

// Peer is this node's end of all its links.
type Peer struct {
	config  Config
	log     *complaints
	count   counters
	remotes map[words.Node]*remote
	addr    netip.AddrPort

	datagrams *net.UDPConn
	outlet    *os.File
	raw       syscall.RawConn // the outlet's
	listener  *net.TCPListener
	guests    guests

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// remote is one peer: where it is, and the state of the datagrams exchanged with it.
type remote struct {
	node words.Node
	addr netip.AddrPort
	to   unix.Sockaddr

	mu      sync.Mutex // guards what follows, and is never held across I/O
	link    *seal.Link
	refused refusal
	silence silence
}

// Open listens, says hello to every peer, and returns. Three kinds of goroutines run until Close or the end of ctx: one
// reads datagrams, one accepts connections, and two serve each connection.
func Open(ctx context.Context, config Config) (*Peer, error) {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if len(config.Secret) == 0 {
		return nil, errors.New("open peer links: the secret is empty; set secret or secret_file")
	}
	p := &Peer{config: config, log: newComplaints(config.Log)}
	if err := p.meet(); err != nil {
		return nil, err
	}
	if err := p.listen(ctx); err != nil {
		return nil, err
	}
	p.ctx, p.cancel = context.WithCancel(ctx)
	context.AfterFunc(p.ctx, p.hangUp)
	p.running.Go(p.receive)
	p.running.Go(p.accept)
	for _, r := range p.remotes {
		p.greet(r)
	}
	return p, nil
}

// meet makes the links to all peers.
func (p *Peer) meet() error {
	nonce, err := newNonce()
	if err != nil {
		return err
	}
	p.remotes = make(map[words.Node]*remote, len(p.config.Peers))
	for node, addr := range p.config.Peers {
		if node == p.config.Self {
			continue
		}
		if node == CommandLine {
			return fmt.Errorf("open link to %s: the name is reserved for the command line; name the node otherwise", node)
		}
		link, err := seal.NewLink(p.config.Secret, p.config.Self, node, p.config.Session, nonce)
		if err != nil {
			return fmt.Errorf("open link to %s: %w", node, err)
		}
		p.remotes[node] = &remote{node: node, addr: addr, to: sockaddr(addr), link: link}
	}
	return nil
}

// Addr returns the address that is listened on.
func (p *Peer) Addr() netip.AddrPort { return p.addr }

// Close ends every goroutine and connection and waits for them. A handler that does not heed its context delays it.
func (p *Peer) Close() {
	p.cancel()
	p.hangUp()
	p.running.Wait()
}

// hangUp closes the sockets, which ends the goroutines that wait on them. It may run twice.
func (p *Peer) hangUp() {
	p.datagrams.Close()
	p.outlet.Close()
	p.listener.Close()
	p.guests.closeAll()
}

// newNonce draws this start's nonce, which is never 0.
func newNonce() (uint64, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, fmt.Errorf("draw nonce: %w", err)
	}
	return binary.BigEndian.Uint64(b[:]) | 1, nil
}
