package gate

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/cell"
	"redkeep/internal/stage/need"
)

// elements writes a file for nft with a table of that many addresses.
func elements(t *testing.T, n int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("table inet other {\n set many { type ipv4_addr; elements = { ")
	for i := range n {
		fmt.Fprintf(&b, "10.%d.%d.%d,", i>>16&255, i>>8&255, i&255)
	}
	b.WriteString(" } }\n}\n")
	file := filepath.Join(t.TempDir(), "many.nft")
	must(t, os.WriteFile(file, []byte(b.String()), 0o600))
	return file
}

// TestLostNotificationsAreNoDamage floods the watch with another table's elements, more than it has room for.
func TestLostNotificationsAreNoDamage(t *testing.T) {
	cell.Open(t)
	s := serve(t, "127.0.0.1:0", false)
	seen := make(chan Damage, 16)
	h := hand(t, Config{unowned: true, OnDamage: func(d Damage) { seen <- d }})
	must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Shut}))
	must(t, h.Set("lent", Want{Ports: []uint16{6380}, Mode: Opened, For: time.Minute}))
	must(t, h.Arm(group, 1, time.Minute))
	must(t, h.Activate(group, 1))
	c, err := dial(s.ln.Addr().String(), 0)
	must(t, err)
	narrow(t, h.watch)
	file := elements(t, 5000)
	if out, err := nft(t, "-f "+file); err != nil {
		t.Fatal(out, err)
	}
	must(t, say(c, "undisturbed"))
	if out, err := nft(t, "flush map inet redkeep requests ; flush set inet other many"); err != nil {
		t.Fatal(out, err)
	}
	select {
	case d := <-seen:
		must(t, d.Err)
	case <-time.After(patience):
		t.Fatal("damage among lost notifications was not found")
	}
	if len(seen) > 0 {
		t.Errorf("restored twice: %+v", <-seen)
	}
	must(t, try(s.ln.Addr().String(), 0))
}

// narrow leaves a watch hardly any room.
func narrow(t *testing.T, w *watch) {
	t.Helper()
	sc, err := w.conn.SyscallConn()
	must(t, err)
	must(t, sc.Control(func(fd uintptr) { must(t, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1)) }))
}

// TestRestorationIsQuick takes the table away by a program that stays. One that ends at once, as nft does, has the kernel
// hold its lock for a grace period, which nobody can shorten.
func TestRestorationIsQuick(t *testing.T) {
	cell.Open(t)
	seen := make(chan Damage, 16)
	culprit := hand(t, Config{unowned: true})
	var took []time.Duration
	for range 9 {
		h := hand(t, Config{unowned: true, OnDamage: func(d Damage) { seen <- d }})
		must(t, h.Set(group, Want{Ports: []uint16{6379}, Mode: Shut}))
		must(t, h.Arm(group, 4, time.Minute))
		must(t, h.Activate(group, 4))
		var b batch
		b.dropTable(culprit.shape.table)
		must(t, culprit.send(&b))
		d := <-seen
		must(t, d.Err)
		must(t, h.Close())
		took = append(took, d.Took)
	}
	slices.Sort(took)
	t.Logf("median %v, longest %v", took[4], took[8])
	if took[4] > 10*time.Millisecond {
		t.Error("restored after", took)
	}
}

// TestHugeRulesetDelaysNothingElse renews a short lease beside another program's transaction of a hundred thousand
// elements, which holds the kernel's lock: what waits for it must be answered in the end, and the clients go on.
func TestHugeRulesetDelaysNothingElse(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second of processor")
	}
	cell.Open(t)
	s := serve(t, "127.0.0.1:0", false)
	h := hand(t, Config{OnDamage: func(Damage) { t.Error("damage") }})
	must(t, h.Set(group, Want{Ports: []uint16{s.port}, Mode: Shut}))
	path, err := exec.LookPath("nft")
	if err != nil {
		need.Program(t, "needs the nft program")
	}
	other := exec.Command(path, "-f", elements(t, 100_000))
	must(t, other.Start())
	ended := make(chan error, 1)
	go func() { ended <- other.Wait() }()
	var longest time.Duration
	beat := time.NewTicker(20 * time.Millisecond)
	defer beat.Stop()
	for n := 0; ; n++ {
		begun := time.Now()
		must(t, h.Arm(group, n%Slots, time.Second))
		must(t, h.Activate(group, n%Slots))
		longest = max(longest, time.Since(begun))
		var c net.Conn
		c, err = dial(s.ln.Addr().String(), 0)
		must(t, err)
		must(t, c.Close())
		select {
		case err := <-ended:
			must(t, err)
			t.Logf("longest beat %v", longest)
			return
		case <-beat.C:
		}
	}
}
