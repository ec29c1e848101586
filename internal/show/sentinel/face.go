package sentinel

import (
	"net/netip"
	"slices"
	"time"

	"redkeep/internal/speak/acl"
	"redkeep/internal/words"
)

// DefaultClients is how many connections are served at once, as in Redis.
const DefaultClients = 10_000

// Config is what a Face stands on.
type Config struct {
	Source Source
	// Clients replaces DefaultClients if it is not zero.
	Clients int
	// OtherSentinel reports whether another Sentinel is known at an address; PeerPlaces are for those. Nil is no such.
	OtherSentinel func(netip.Addr) bool
	// Listened is called when the first client subscribes to something, and when the last one no longer does; it may be nil.
	Listened func(bool)
	// Users are who may ask, and for what of Rules; nil is the default user alone, who may do everything, and is not to be changed.
	// They belong to the face's goroutine. Whoever saves a configuration has Lines of them in it.
	Users *acl.Users
	// Password is the default user's where Users is nil; an empty one is that it needs none.
	Password words.Secret
	// UserFile is where ACL SAVE and LOAD have them; nil is none.
	UserFile UserFile
	// Denials are what ACL LOG tells; nil is a log of Redis' default length.
	Denials *acl.Log
	// Flavor is the release whose commands there are.
	Flavor Flavor
	// Now is the clock of the one who calls Tick when Wake says; nil is nobody, and CLIENT PAUSE is refused then.
	Now func() words.Instant
	// Renames are what clients call some of the commands, both names in small letters; one that is called "" there is not.
	Renames map[string]string
}

// Face answers the clients of the Sentinel protocol. It and its Clients belong to one goroutine.
type Face struct {
	config  Config
	dialect *dialect
	source  Source
	users   *acl.Users
	denials *acl.Log

	clients   map[*Client]struct{}
	listeners map[*Client]struct{}
	// subscribed is how many channels and patterns they all have.
	subscribed int
	// reserved are the clients in places for other Sentinels.
	reserved map[*Client]struct{}
	lastID   int64
	pause    pause
	tracked  tracked
	// turnedAway is how many there was no room for.
	turnedAway int
	counts     counts
	meter      meter

	// spare is what a batch of requests needs; nil while one is being answered.
	spare *batch
}

// New returns a Face.
func New(c Config) *Face {
	if c.Clients == 0 {
		c.Clients = DefaultClients
	}
	if c.Listened == nil {
		c.Listened = func(bool) {}
	}
	f := &Face{
		config: c, dialect: dialects[c.Flavor].renamed(c.Renames), source: c.Source, users: c.Users, denials: c.Denials,
		clients: map[*Client]struct{}{}, listeners: map[*Client]struct{}{}, reserved: map[*Client]struct{}{},
	}
	if f.users == nil {
		f.users = acl.New(c.Flavor.Rules(), false)
		f.users.RequirePass(c.Password.Reveal())
	}
	if f.denials == nil {
		f.denials = acl.NewLog(acl.DefaultLogLength)
	}
	return f
}

// Open takes a connection in. Where there is no room for another the peer is told so and closed, and Open returns nil: the
// transport then has nothing to tell of it.
func (f *Face) Open(p Peer) *Client {
	reserved, ok := f.mayCome(p)
	if !ok {
		f.turnedAway++
		p.Send([]byte("-ERR max number of clients reached\r\n"))
		p.Close(true)
		return nil
	}
	f.lastID++
	now := time.Now()
	c := &Client{face: f, peer: p, id: f.lastID, since: now, at: now, user: f.users.Default(), known: f.users.Open()}
	f.clients[c] = struct{}{}
	if reserved {
		f.reserved[c] = struct{}{}
	}
	return c
}

// inOrder returns the clients by their numbers.
func (f *Face) inOrder() []*Client {
	all := make([]*Client, 0, len(f.clients))
	for c := range f.clients {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *Client) int { return int(a.id - b.id) })
	return all
}
