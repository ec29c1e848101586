package vrrp

import (
	"net/netip"
	"time"

	"redkeep/internal/words"
)

// ID names a virtual router on this host, as its configuration does.
type ID string

// Setup is what a Machine is given.
type Setup struct {
	Routers []Router
	Groups  []Group
}

// Group is routers that rise and fall together. A router is in one at most.
type Group struct {
	Members []ID
	// Weights lets checks change the priorities of its members, who may then part on another host's segment.
	Weights bool
}

// Router is the configuration of one virtual router.
type Router struct {
	ID ID
	// Link is the device on which it is, Source this host's own address there, which decides ties. Source may be told later.
	Link   string
	Source netip.Addr
	// Version is 2 or 3, and 3 over IPv6, which is what its Addresses are of.
	Version uint8
	VRID    uint8
	// Priority is from 1 to 254; 255 is that of a host whose own the addresses are.
	Priority uint8
	// Interval is whole seconds in version 2, and hundredths of a second up to 40.95 s in version 3.
	Interval time.Duration
	// Addresses are the virtual ones, one at least, all of one family.
	Addresses []netip.Addr
	// Peers, where there are some, are spoken to one by one, and nobody else is heard, unless AnySource says so. Otherwise all speak in
	// Group, which is the family's own where it is not set.
	Peers []netip.Addr
	Group netip.Addr
	// AnySource believes whoever speaks to this host alone, as keepalived does by itself; who is no peer is reported nevertheless.
	AnySource bool
	// MindStrangers has this host not believe who is no peer, and yet not become a second master beside one that speaks from the segment: a
	// router of this number whose name is lacking among the Peers. One from beyond, who may be anybody, holds nobody back.
	MindStrangers bool
	// Reach bounds from how far the Peers of the same place are heard; what is missing is not bounded. Hops is what is left to what is sent
	// to a peer, 255 where it is 0.
	Reach []Reach
	Hops  uint8
	// Auth and Secret are of version 2.
	Auth   Auth
	Secret words.Secret
	// PlainSum leaves the pseudo-header out of IPv4's checksum in version 3.
	PlainSum bool
	// NoPreempt leaves a master of lower priority alone; PreemptDelay does so for a time.
	NoPreempt    bool
	PreemptDelay time.Duration
	// Tracks are the checks that count here, the device itself among them.
	Tracks []Track
	// DownAdverts is how many advertisements may be missed until their sender counts as gone; 3 where it is 0.
	DownAdverts int
	// QuietLower leaves a master of lower priority unanswered. LastWord has a master that yields advertise once more, so that the next
	// one hears that there were two, and announces.
	QuietLower, LastWord bool
	// Asks has the machine ask before it claims and before it yields.
	Asks bool
	// Lease is for how long after an advertisement that was really sent the address may stand; twice the Interval where it is 0.
	// It must be so much less than three times the Interval that the kernel's lateness fits between.
	Lease time.Duration
	// Announce is when the segment is told of the addresses again.
	Announce Announcing
}

// Reach is how many hops must and may be left to what a peer sends.
type Reach struct{ Least, Most int }

// Track is a check that a router takes account of.
type Track struct {
	Name string
	// Weight is added to the priority while the check passes (above 0), or while it does not (below). With 0 the router is
	// faulty while it does not pass.
	Weight int
	// Reverse turns the check's result.
	Reverse bool
}

// Announcing is when the segment is told where an address is, besides at once. What is 0 is left out.
type Announcing struct {
	// Repeat is how many announcements are said at once, and a second time after Again.
	Repeat int
	Again  time.Duration
	// LowerRepeat and LowerAgain are the same after a master of lower priority was heard.
	LowerRepeat int
	LowerAgain  time.Duration
	// Refresh is how often they are said after that, RefreshRepeat how many.
	Refresh       time.Duration
	RefreshRepeat int
}

// DefaultAnnouncing is keepalived's, and a refresh, without which caches are wrong for long after a healed cut.
func DefaultAnnouncing() Announcing {
	const repeat, again = 5, 5 * time.Second
	return Announcing{Repeat: repeat, Again: again, LowerRepeat: repeat, LowerAgain: again, Refresh: 30 * time.Second, RefreshRepeat: 1}
}

// Auth is a kind of authentication, with its number on the wire.
type Auth uint8

// The kinds that are spoken.
const (
	NoAuth   Auth = 0
	Password Auth = 1
)

// String returns keepalived's word.
func (a Auth) String() string {
	switch a {
	case NoAuth:
		return "none"
	case Password:
		return "PASS"
	default:
		return "AH"
	}
}

// Advert is what an advertisement says.
type Advert struct {
	Version, VRID, Priority uint8
	Interval                time.Duration
	// Addresses must not be written to.
	Addresses []netip.Addr
	Auth      Auth
	Secret    words.Secret
	PlainSum  bool
}

// owner is the priority of the host whose own the addresses are, leaving that of a master that leaves.
const (
	owner   = 255
	leaving = 0
)

// settled fills in what is not said.
func (r Router) settled() Router {
	if r.DownAdverts == 0 {
		r.DownAdverts = 3
	}
	if r.Lease == 0 {
		r.Lease = 2 * r.Interval
	}
	return r
}

// six reports whether the router is one of IPv6.
func (r *Router) six() bool { return len(r.Addresses) > 0 && r.Addresses[0].Is6() }

// unicast reports whether the router speaks to its peers one by one.
func (r *Router) unicast() bool { return len(r.Peers) > 0 }

// to is whom an advertisement goes to.
func (r *Router) to() []netip.Addr {
	switch {
	case r.unicast():
		return r.Peers
	case r.Group.IsValid():
		return []netip.Addr{r.Group}
	case r.six():
		return []netip.Addr{netip.AddrFrom16([16]byte{0xff, 0x02, 15: 0x12})}
	default:
		return []netip.Addr{netip.AddrFrom4([4]byte{224, 0, 0, 18})}
	}
}
