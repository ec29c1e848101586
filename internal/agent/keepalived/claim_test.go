package keepalived

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"redkeep/internal/decide/vrrp"
	"redkeep/internal/stage/cell"
)

// TestClaimOfAProcessThatIsKilled is that a router is one process's, that the next one is told whose, and that it is free the moment its
// process is gone, though the file is still there.
func TestClaimOfAProcessThatIsKilled(t *testing.T) {
	const variable = "REDKEEP_TEST_CLAIMS_IN"
	if dir := os.Getenv(variable); dir != "" {
		_, err := takeClaim(dir, "eth0-51-4", "VI_1")
		fmt.Printf("took %v\n", err)
		_, _ = bufio.NewReader(os.Stdin).ReadByte() // lives until it is killed, or the test is
		return
	}
	dir := filepath.Join(t.TempDir(), "run", "net-1")
	other := exec.Command(os.Args[0], "-test.run=^TestClaimOfAProcessThatIsKilled$")
	other.Env = append(os.Environ(), variable+"="+dir)
	in, err := other.StdinPipe()
	must(t, err)
	defer in.Close()
	out, err := other.StdoutPipe()
	must(t, err)
	must(t, other.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "took <nil>\n" {
		t.Fatalf("%q, %v", line, err)
	}
	held := new(claimedError)
	if _, err := takeClaim(dir, "eth0-51-4", "VI_1"); !errors.As(err, &held) || held.pid != strconv.Itoa(other.Process.Pid) ||
		!strings.Contains(err.Error(), "stop one of the two") {
		t.Errorf("beside it: %v", err)
	}
	another, err := takeClaim(dir, "eth0-52-4", "VI_2")
	must(t, err)
	another.release()
	must(t, other.Process.Kill())
	_ = other.Wait()
	if _, err := os.Stat(filepath.Join(dir, "eth0-51-4.lock")); err != nil {
		t.Errorf("nothing is left: %v", err)
	}
	again, err := takeClaim(dir, "eth0-51-4", "VI_1")
	must(t, err)
	again.release()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is left: %v", err)
	}
}

// TestOneProcessARouter is that a second process neither begins with a router that another one has, nor takes it in a reload, until that one has left.
func TestOneProcessARouter(t *testing.T) {
	cell.Open(t)
	cable(t, "eth0", "10.77.0.1/24")
	cable(t, "eth1", "10.78.0.1/24")
	dir := t.TempDir()
	beside := func(text string) *desk {
		d := newDesk(t, parsed(t, text))
		d.options.RunDir = dir
		return d
	}
	first := beside(onEth0)
	must(t, first.open())
	first.step(vrrp.Began{})
	first.until("a to be the master", first.is("a", vrrp.Master))

	if err := beside(onEth1 + onEth0).open(); !errors.As(err, new(*claimedError)) || !strings.Contains(err.Error(), "a (virtual_router_id 1 on eth0, IPv4)") {
		t.Errorf("a second start: %v", err)
	}
	second := beside(onEth1) // Which the one that could not start has given back.
	must(t, second.open())
	second.step(vrrp.Began{})
	second.reload(parsed(t, onEth1+onEth0))
	if len(second.routers) != 1 || len(second.claims) != 1 {
		t.Errorf("a reload took %v", second.claims)
	}
	if first.isLast() || second.isLast() {
		t.Error("one of two is taken for the last one, and would take away what they share")
	}
	first.reload(parsed(t, strings.ReplaceAll(onEth0, "router_id 1", "router_id 3")))
	first.until("the one before to have left", func() bool { return !first.surplus })
	second.reload(parsed(t, onEth1+onEth0))
	if len(second.routers) != 2 || len(second.claims) != 2 {
		t.Errorf("what another has left is not taken: %v", second.claims)
	}
	releaseAll(first.claims)
	first.claims = map[string]*claim{}
	if second.isLast() {
		t.Error("a place for the status is nobody's")
	}
	first.front.close()
	first.front = nil
	must(t, os.WriteFile(filepath.Join(second.claimDir, "dead-1-4.lock"), nil, 0o600))
	if !second.isLast() {
		t.Errorf("another one is seen where nobody is")
	}
}

// TestNoPlaceForClaims is that a host without one has its routers all the same, and that its log says what it has not.
func TestNoPlaceForClaims(t *testing.T) {
	cell.Open(t)
	cable(t, "eth0", "10.77.0.1/24")
	d := newDesk(t, parsed(t, onEth0))
	var log strings.Builder
	d.log = slog.New(slog.NewTextHandler(&log, nil))
	d.options.RunDir = filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(d.options.RunDir, nil, 0o600))
	must(t, d.open())
	if len(d.claims) != 0 || len(d.routers) != 1 {
		t.Errorf("%v, %v", d.claims, d.routers)
	}
	if !strings.Contains(log.String(), "--status can't ask this process") || !strings.Contains(log.String(), "dir="+d.options.RunDir) || d.isLast() {
		t.Errorf("%s, the last one: %v", log.String(), d.isLast())
	}
}

// TestAReloadThatCanNotClaim is one to which a claim is refused by nobody but the file system: the configuration before stays, with its claims, and the next
// reload takes all.
func TestAReloadThatCanNotClaim(t *testing.T) {
	cell.Open(t)
	cable(t, "eth0", "10.77.0.1/24")
	cable(t, "eth1", "10.78.0.1/24")
	d := newDesk(t, parsed(t, onEth0))
	d.options.RunDir = t.TempDir()
	must(t, d.open())
	d.step(vrrp.Began{})
	obstacle := filepath.Join(d.claimDir, "eth1-2-4.lock")
	must(t, os.Mkdir(obstacle, 0o700))
	d.reload(parsed(t, onEth1+onEth0))
	if len(d.claims) != 1 || len(d.routers) != 1 || !d.isLast() {
		t.Errorf("claims of %v, %d routers, the last one: %v", d.claims, len(d.routers), d.isLast())
	}
	must(t, os.Remove(obstacle))
	d.reload(parsed(t, onEth1+onEth0))
	if len(d.claims) != 2 || len(d.routers) != 2 {
		t.Errorf("claims of %v, %d routers", d.claims, len(d.routers))
	}
}
