package fleet

import (
	"fmt"
	"net/netip"
	"time"
)

// Plan is who is where. All addresses are on the loopback, a host having one of its own.
type Plan struct {
	// Groups is how many there are, each a master and two replicas.
	Groups int
	// PerHost is how many servers share a host: those of one role, of as many groups.
	PerHost int
	// DownAfter is how long a server must be silent for the voters to call it down.
	DownAfter time.Duration
}

const (
	// Servers is how many each group has: the master first.
	Servers = 3
	// Voters is how many Sentinels there are besides the one who is measured.
	Voters = 2
	// Port is where each Sentinel listens, and FirstPort where the servers of group 0 do.
	Port      = 26379
	FirstPort = 20000
)

// Subject is where the Sentinel that is measured listens.
var Subject = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), Port)

// Name is what a group is called.
func (p Plan) Name(group int) string { return fmt.Sprintf("group-%04d", group) }

// Hosts is how many hosts have servers of one role.
func (p Plan) Hosts() int { return (p.Groups + p.PerHost - 1) / p.PerHost }

// At is where a group's server with that number listens at first.
func (p Plan) At(group, server int) netip.AddrPort {
	host := 1 + server*p.Hosts() + group/p.PerHost
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, byte(1 + host/250), byte(1 + host%250)}), uint16(FirstPort+group))
}

// Voter is where one of the other Sentinels listens.
func (p Plan) Voter(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + n)}), Port)
}

// VoterID is by what it is known. The one who is measured has an ID between the two.
func (p Plan) VoterID(n int) string {
	return [Voters]string{"2f0a8d3e51c97b64002f0a8d3e51c97b64002f0a", "c4417be02d9a63f8aac4417be02d9a63f8aac441"}[n]
}

// SubjectID is by what the one who is measured is known.
const SubjectID = "8b1e5d2c7a904f36118b1e5d2c7a904f36118b1e"
