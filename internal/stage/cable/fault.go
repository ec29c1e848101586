package cable

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Fault is what happens to frames on their way from one port to another.
type Fault struct {
	// From is the port by which the frames come in; empty for every port.
	From string
	// To is the port by which they would go out; empty for every port.
	To string
	// Loss is the share of frames dropped, at random and each by itself: 0 to 1, 1 for all of them.
	Loss float64
}

const (
	tableName = "cables"
	chainName = "faults"
	// scale is the number of equal chances out of which a frame's fate is drawn.
	scale = 1_000_000
)

func (s *Switch) addChain() error {
	table := s.filter.AddTable(&nftables.Table{Family: nftables.TableFamilyBridge, Name: tableName})
	accept := nftables.ChainPolicyAccept
	s.chain = s.filter.AddChain(&nftables.Chain{
		Name: chainName, Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter, Policy: &accept,
	})
	if err := s.filter.Flush(); err != nil {
		return fmt.Errorf("add table bridge %s (the kernel modules nf_tables and bridge are needed): %w", tableName, err)
	}
	return nil
}

// Set makes these the only faults of the switch, all at the same instant. They hold when it returns, for connections
// that are open too. Several faults for the same frame each have their chance at it.
func (s *Switch) Set(faults []Fault) error {
	for _, f := range faults {
		if f.Loss < 0 || f.Loss > 1 || math.IsNaN(f.Loss) {
			return fmt.Errorf("set fault %q to %q: loss %v is not between 0 and 1", f.From, f.To, f.Loss)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.filter.FlushChain(s.chain)
	for _, f := range faults {
		if f.Loss > 0 {
			s.filter.AddRule(&nftables.Rule{Table: s.chain.Table, Chain: s.chain, Exprs: f.rule()})
		}
	}
	if err := s.filter.Flush(); err != nil {
		return fmt.Errorf("set faults of cables: %w", err)
	}
	return nil
}

func (f Fault) rule() []expr.Any {
	return slices.Concat(
		port(expr.MetaKeyIIFNAME, f.From),
		port(expr.MetaKeyOIFNAME, f.To),
		chance(f.Loss),
		[]expr.Any{&expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop}})
}

// port matches the name of the port, which the kernel compares in a field of fixed width.
func port(key expr.MetaKey, name string) []expr.Any {
	if name == "" {
		return nil
	}
	field := make([]byte, unix.IFNAMSIZ)
	copy(field, name)
	return []expr.Any{
		&expr.Meta{Key: key, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: field},
	}
}

// chance matches a share of frames. The kernel compares registers byte by byte, so the drawn number, which is in the
// machine's order, is put into the network's first.
func chance(share float64) []expr.Any {
	if share >= 1 {
		return nil
	}
	return []expr.Any{
		&expr.Numgen{Register: 1, Modulus: scale, Type: unix.NFT_NG_RANDOM},
		&expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: expr.ByteorderHton, Len: 4, Size: 4},
		&expr.Cmp{Op: expr.CmpOpLt, Register: 1, Data: binary.BigEndian.AppendUint32(nil, uint32(math.Round(share*scale)))},
	}
}

// Dropped returns how many frames each of the faults last set has swallowed, in their order; those with a loss of 0 are
// left out.
func (s *Switch) Dropped() ([]uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rules, err := s.filter.GetRules(s.chain.Table, s.chain)
	if err != nil {
		return nil, fmt.Errorf("read counters of cables: %w", err)
	}
	var dropped []uint64
	for _, rule := range rules {
		for _, e := range rule.Exprs {
			if c, ok := e.(*expr.Counter); ok {
				dropped = append(dropped, c.Packets)
			}
		}
	}
	return dropped, nil
}
