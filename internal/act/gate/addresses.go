package gate

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// AddressSlots is how many slots an address of an Addresses has: the one that is in force, and the one that is armed for the next
// advertisement.
const AddressSlots = 2

// Addresses is a gate in front of virtual addresses alone, for `redkeep keepalived`, whose servers are not the agent's. It shares the slots with
// Hand and nothing else: it has tables of its own, `inet redkeep_keepalived` and `arp redkeep_keepalived`, which an agent on the same host
// does not meet.
//
// An address that was pointed at a slot is silent unless that slot runs: what others send to it is dropped, and so is what this host answers by
// ARP or neighbour discovery. The pointing ends by itself after a time that outlasts the address, so that a process that was killed
// leaves nothing behind that would silence whoever runs here after it; the tables, empty then, stay until Remove or a person takes them
// away. They have no owner: somebody else's `flush ruleset` opens them, and the next call makes them again.
type Addresses struct {
	log *slog.Logger

	// mu is held across the connection's system calls, which is what it is for.
	mu     sync.Mutex
	raw    *netlink.Conn
	socket syscall.RawConn
	seq    uint32
	rules  *addressRules
	// pointed has the slot in force of each address.
	pointed map[netip.Addr]int
}

// OpenAddresses makes the tables, or takes over those that are there, with what is in force in them. ErrUnavailable says that this host can't
// have them.
func OpenAddresses(log *slog.Logger) (*Addresses, error) {
	a := &Addresses{log: log, rules: newAddressRules(), pointed: map[netip.Addr]int{}}
	err := a.connect()
	if err == nil {
		err = a.adopt()
	}
	if err != nil {
		return nil, fmt.Errorf("open gate of addresses: %w", errors.Join(unavailable(err), a.Close()))
	}
	return a, nil
}

func (a *Addresses) connect() (err error) {
	if a.raw, err = netlink.Dial(unix.NETLINK_NETFILTER, nil); err != nil {
		return fmt.Errorf("connect to nf_tables: %w", err)
	}
	if a.socket, err = a.raw.SyscallConn(); err != nil {
		return fmt.Errorf("reach netlink socket: %w", err)
	}
	return nil
}

// adopt writes the tables and leaves what is in force. Those of another version of this program, whose sets are others, go.
func (a *Addresses) adopt() error {
	var b batch
	for _, t := range a.rules.tables() {
		b.definition(t)
	}
	err := a.send(&b)
	if errors.Is(err, unix.EEXIST) || errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EINVAL) {
		return a.remake()
	}
	if err != nil {
		return fmt.Errorf("write tables: %w", err)
	}
	return nil
}

// remake writes the tables with nothing in force in either of them.
func (a *Addresses) remake() error {
	var b batch
	for _, t := range a.rules.tables() {
		b.table(t, 0)
		b.dropTable(t)
		b.definition(t)
	}
	if err := a.send(&b); err != nil {
		return fmt.Errorf("write tables anew: %w", err)
	}
	clear(a.pointed)
	return nil
}

// Arm has a slot of some addresses run for d (whole milliseconds, at least one) from some instant between the call and its return. It changes
// nothing that is in force: ErrActive refuses the slot that one of them is pointed at.
func (a *Addresses) Arm(addrs []netip.Addr, slot int, d time.Duration) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if d < time.Millisecond {
		return fmt.Errorf("arm slot %d: %v is less than a millisecond", slot, d)
	}
	for _, one := range addrs {
		if at, is := a.pointed[one]; is && at == slot {
			return fmt.Errorf("arm slot %d of %s: %w", slot, one, ErrActive)
		}
	}
	err := a.change(func(b *batch) { a.rules.arm(b, addrs, slot, d) })
	if errors.Is(err, errRemade) {
		err = a.change(func(b *batch) { a.rules.arm(b, addrs, slot, d) })
	}
	if err != nil {
		return fmt.Errorf("arm slot %d: %w", slot, err)
	}
	return nil
}

// Point judges the addresses by a slot, for hold, in one transaction. It carries nothing of the time for which they may answer: done late,
// it points at a slot that has run out. Repeated, it renews hold, which is to outlast the address on its device. Where somebody has taken the
// tables away, and the slots with them, they are made again and the error says so: who points at what is not armed silences a good address.
func (a *Addresses) Point(addrs []netip.Addr, slot int, hold time.Duration) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.change(func(b *batch) { a.rules.point(b, addrs, slot, hold) }); err != nil {
		return fmt.Errorf("point at slot %d: %w", slot, err)
	}
	for _, one := range addrs {
		a.pointed[one] = slot
	}
	return nil
}

// Release judges the addresses no more. What is in no device of this host does not answer anyway.
func (a *Addresses) Release(addrs []netip.Addr) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.change(func(b *batch) { a.rules.release(b, addrs) }); err != nil && !errors.Is(err, errRemade) {
		return fmt.Errorf("release addresses: %w", err)
	}
	for _, one := range addrs {
		delete(a.pointed, one)
	}
	return nil
}

// ErrJudged says that an address is still judged, by whichever process: one that could not be taken off its device would answer again.
var ErrJudged = errors.New("an address is still judged")

// Remove takes the tables out of the kernel where they judge nothing any more; ErrJudged says that they do, and stay. They are everybody's in this
// network namespace: the caller knows that nobody else is about to use them. Only Close is good afterwards.
func (a *Addresses) Remove() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	judged, err := a.judges()
	if err != nil {
		return fmt.Errorf("remove tables of addresses: %w", err)
	}
	if judged {
		return fmt.Errorf("remove tables of addresses: %w", ErrJudged)
	}
	var b batch
	for _, t := range a.rules.tables() {
		b.table(t, 0) // Somebody else may have taken it away.
		b.dropTable(t)
	}
	if err := a.send(&b); err != nil {
		return fmt.Errorf("remove tables of addresses: %w", err)
	}
	return nil
}

// judges asks the kernel whether any address is judged. What a dead process has left counts too, which pointed knows nothing of.
func (a *Addresses) judges() (bool, error) {
	if err := a.adopt(); err != nil { // Somebody may have taken the tables away: the library does not say so of a set that is not there.
		return false, err
	}
	conn, err := nftables.New(nftables.WithSockOptions(func(c *netlink.Conn) error { return c.SetDeadline(time.Now().Add(answerWithin)) }))
	if err != nil {
		return false, fmt.Errorf("connect to nf_tables: %w", err)
	}
	judged := false
	for _, s := range a.rules.all {
		if err := eachElement(conn, s.judged, func(nftables.SetElement) { judged = true }); err != nil {
			return false, err
		}
	}
	return judged, nil
}

// Close ends the connection, and leaves the kernel as it is. It may be repeated.
func (a *Addresses) Close() error {
	if a.raw == nil {
		return nil
	}
	return a.raw.Close()
}

// errRemade says that the tables were gone, and are there again with nothing in force.
var errRemade = errors.New("somebody had taken the tables away; they are made again")

// change commits a transaction, or makes the tables again.
func (a *Addresses) change(write func(*batch)) error {
	var b batch
	write(&b)
	err := a.send(&b)
	if !errors.Is(err, unix.ENOENT) {
		return err
	}
	if err := a.remake(); err != nil {
		return err
	}
	a.log.Info("the gate of addresses was taken away, and is made again")
	return errRemade
}

// send commits a transaction. An answer that comes too late is not taken for the next one's, since each has a number.
func (a *Addresses) send(b *batch) error { return commit(a.socket, &a.seq, b) }

// ofFamily are those of some addresses that are of IPv4, or that are not.
func ofFamily(addrs []netip.Addr, four bool) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(addrs), func(one netip.Addr) bool { return one.Is4() != four })
}
