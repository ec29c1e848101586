package vrrp

import (
	"fmt"
	"net/netip"
)

// Trouble is something that a person should know of: a peer that can't be understood, or why this host is not master.
type Trouble struct {
	What What
	// Peer is whose fault it may be, invalid where it is nobody's.
	Peer netip.Addr
	// Ours and Theirs are both values. Of passwords they say nothing.
	Ours, Theirs string
}

// What is a kind of trouble.
type What uint8

// The kinds. Until Unlisted they are of peers that are alive on the segment with this virtual router's number, and that this host
// would become a second master beside: it holds back. Stranger and Distant are ignored, since anybody can be one.
const (
	// Unreadable is an advertisement that is broken: Theirs says how.
	Unreadable What = iota + 1
	// OtherCast speaks to a group where this host speaks to peers, or the other way round.
	OtherCast
	OtherVersion
	OtherAuth
	OtherPassword
	OtherInterval
	OtherAddresses
	// OtherSum sums up another form. This host would read it, the peer may not read this host's.
	OtherSum
	// Unlisted is a Stranger on the segment, where the Setup has this host mind one: a router that somebody forgot to name, or worse.
	Unlisted
	// Stranger speaks to this host, and is none of the peers.
	Stranger
	// Distant came from beyond the segment.
	Distant
	// Taken is that somebody has the address: Theirs is who answered.
	Taken
	// Refused is that whoever was asked said no; Unsent that no advertisement could be sent; Unpromoted, Undemoted, Unset and Undropped that
	// this step failed. Lapsed is that the time of the address was over before it was renewed: this host was frozen, or could not send.
	Refused
	Unsent
	Unpromoted
	Undemoted
	Unset
	Undropped
	Lapsed
)

// holds reports whether such a peer keeps this host from becoming master.
func (w What) holds() bool { return w >= Unreadable && w <= Unlisted }

var whats = [...]string{
	Unreadable: "advertisement unreadable", OtherCast: "unicast or multicast", OtherVersion: "version", OtherAuth: "authentication",
	OtherPassword: "password", OtherInterval: "interval", OtherAddresses: "addresses", OtherSum: "checksum", Unlisted: "no peer", Stranger: "no peer",
	Distant: "hops", Taken: "address taken", Refused: "refused", Unsent: "not sent", Unpromoted: "not promoted",
	Undemoted: "not demoted", Unset: "address not set", Undropped: "address not dropped", Lapsed: "lapsed",
}

// String returns a few words for the kind.
func (w What) String() string {
	if int(w) < len(whats) {
		return whats[w]
	}
	return fmt.Sprintf("what(%d)", w)
}

// String prints the trouble for logs and tests.
func (t Trouble) String() string {
	s := t.What.String()
	if t.Peer.IsValid() {
		s += " of " + t.Peer.String()
	}
	if t.Theirs != "" {
		s += ": " + t.Theirs
	}
	if t.Ours != "" {
		s += ", ours " + t.Ours
	}
	return s
}
