package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/need"
)

// TestMain runs the tests as root, or as an ordinary user in a user namespace, as the demo does.
func TestMain(m *testing.M) {
	inside, code, err := Enter(os.Args[1:])
	var forbidden *Forbidden
	switch {
	case errors.As(err, &forbidden):
		fmt.Fprintln(os.Stderr, err) // each test skips with the same error
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	case !inside:
		os.Exit(code)
	}
	code = m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// open makes a stage for a test and takes it away after it.
func open(t *testing.T, hosts ...string) *Stage {
	t.Helper()
	s, err := New(t.Context(), Options{Hosts: hosts, Dir: t.TempDir()})
	var forbidden *Forbidden
	if errors.As(err, &forbidden) {
		need.Right(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func needRedis(t *testing.T) {
	t.Helper()
	if _, err := FindRedis(); err != nil {
		need.Program(t, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// echo sends back what the host hears, on 16 connections at most, until the test ends.
func echo(t *testing.T, h *Host) string {
	t.Helper()
	address := h.Port(7).String()
	l, err := h.Listen(t.Context(), address)
	must(t, err)
	conns := make(chan net.Conn, 16)
	go func() {
		defer close(conns)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns <- c
			go io.Copy(c, c) // ends when the connection is closed
		}
	}()
	t.Cleanup(func() {
		l.Close()
		for c := range conns {
			c.Close()
		}
	})
	return address
}

// dial connects from the host, within a second.
func dial(t *testing.T, from *Host, address string) (net.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	c, err := from.Dial(ctx, "tcp", address)
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

// says reports whether a word comes back over the connection within the time.
func says(t *testing.T, c net.Conn, within time.Duration) bool {
	t.Helper()
	must(t, c.SetDeadline(time.Now().Add(within)))
	if _, err := c.Write([]byte("word")); err != nil {
		return false
	}
	_, err := io.ReadFull(c, make([]byte, 4))
	return err == nil
}

func TestHostsReachEachOther(t *testing.T) {
	s := open(t)
	for _, to := range s.Hosts() {
		address := echo(t, to)
		for _, from := range append(s.Hosts(), s.Client()) {
			c, err := dial(t, from, address)
			must(t, err)
			if !says(t, c, time.Second) {
				t.Errorf("%s does not hear %s", from.Name(), to.Name())
			}
		}
	}
}

func TestStageIsBuiltWithinASecond(t *testing.T) {
	begun := clock.Now()
	s := open(t)
	built := clock.Now().Sub(begun)
	must(t, s.Close())
	t.Logf("built in %v, taken away in %v", built, clock.Now().Sub(begun)-built)
	if built > time.Second {
		t.Errorf("built in %v", built)
	}
}

func TestCutHoldsForOpenConnections(t *testing.T) {
	s := open(t, "h1", "h2")
	c, err := dial(t, s.Client(), echo(t, s.Host("h1")))
	must(t, err)
	if !says(t, c, time.Second) {
		t.Fatal("the connection does not work")
	}
	begun := clock.Now()
	must(t, s.Cut("h1"))
	t.Logf("cut in %v", clock.Now().Sub(begun))
	if says(t, c, 50*time.Millisecond) {
		t.Error("a word came through a cut cable")
	}
	must(t, s.Heal("h1"))
	must(t, c.SetDeadline(time.Now().Add(3*time.Second)))
	if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
		t.Errorf("the connection does not go on after the cable was mended: %v", err)
	}
}

// packets binds a UDP socket on the host.
func packets(t *testing.T, h *Host) *net.UDPConn {
	t.Helper()
	var c net.PacketConn
	var err error
	must(t, h.Do(func() { c, err = net.ListenPacket("udp", h.Port(9).String()) }))
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return c.(*net.UDPConn)
}

// arrive sends packets from one socket to another and counts those that arrive.
func arrive(t *testing.T, from, to *net.UDPConn, count int) int {
	t.Helper()
	arrived, buffer := 0, make([]byte, 16)
	for range count {
		if _, err := from.WriteTo([]byte("x"), to.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		// Delivery between two veth ends is done within the sender's own system call, or just after it.
		must(t, to.SetReadDeadline(time.Now().Add(5*time.Millisecond)))
		if _, _, err := to.ReadFrom(buffer); err == nil {
			arrived++
		}
	}
	return arrived
}

func TestCutInOneDirectionIsOneWay(t *testing.T) {
	s := open(t, "h1", "h2")
	one, two := packets(t, s.Host("h1")), packets(t, s.Host("h2"))
	for _, c := range []struct {
		name         string
		cut          func() error
		there, again int // of ten packets from h1 to h2, and from h2 to h1
	}{
		{"healthy", func() error { return nil }, 10, 10},
		{"h1 deaf", func() error { return s.CutInbound("h1") }, 10, 0},
		{"h1 mute", func() error { return s.CutOutbound("h1") }, 0, 10},
		{"path from h2 to h1", func() error { return s.CutPath("h2", "h1") }, 10, 0},
		{"between", func() error { return s.CutBetween("h1", "h2") }, 0, 0},
		{"cut", func() error { return s.Cut("h1") }, 0, 0},
	} {
		// Both have to know each other's hardware address, which a cut would keep them from asking for.
		if arrive(t, one, two, 3) == 0 || arrive(t, two, one, 3) == 0 {
			t.Fatal("the cables do not work")
		}
		must(t, c.cut())
		if there, again := arrive(t, one, two, 10), arrive(t, two, one, 10); there != c.there || again != c.again {
			t.Errorf("%s: %d and %d packets of 10 arrived; want %d and %d", c.name, there, again, c.there, c.again)
		}
		must(t, s.Heal("h1"))
	}
}

func TestLossIsAboutTheShareAskedFor(t *testing.T) {
	s := open(t, "h1", "h2")
	one, two := packets(t, s.Host("h1")), packets(t, s.Host("h2"))
	arrive(t, one, two, 3)
	must(t, s.Lose("h1", Outbound, 0.3))
	// 300 of 1,000 with a standard deviation of 14.5: five of them make one failure in two million runs.
	const sent = 1000
	if lost := sent - arrive(t, one, two, sent); lost < 227 || lost > 373 {
		t.Errorf("%d of %d packets were lost; want about 300", lost, sent)
	}
	if got := arrive(t, two, one, 100); got != 100 {
		t.Errorf("%d of 100 packets came back; loss was asked for in one direction", got)
	}
	dropped, err := s.Dropped()
	must(t, err)
	t.Logf("the switch counted %d", dropped)
	if dropped < 227 {
		t.Errorf("the switch says that it dropped %d", dropped)
	}
	if s.Lose("h1", Both, 1.5) == nil {
		t.Error("a share of 1.5 was taken")
	}
	must(t, s.HealAll())
	if got := arrive(t, one, two, 100); got != 100 {
		t.Errorf("%d of 100 packets arrived after the cable was mended", got)
	}
}

func TestPowerOffTakesEverythingAndPowerOnBoots(t *testing.T) {
	s := open(t, "h1", "h2")
	h := s.Host("h1")
	// The shell's child leaves its process group, as a daemon does.
	p, err := h.Start(Command{Path: "sh", Args: []string{"-c", "setsid sleep 300 & sleep 300"}})
	must(t, err)
	c, err := dial(t, s.Client(), echo(t, h))
	must(t, err)
	if !says(t, c, time.Second) {
		t.Fatal("the connection does not work")
	}
	before, inode := h.current(), h.Inode()
	begun := clock.Now()
	must(t, s.PowerOff("h1"))
	t.Logf("powered off in %v", clock.Now().Sub(begun))
	if left := before.Inhabitants(); len(left) > 0 || !p.Ended() {
		t.Errorf("processes %v are left", left)
	}
	if _, err := h.Start(Command{Path: "true"}); err == nil {
		t.Error("a program was started on a host without power")
	}
	must(t, s.HealAll())
	if says(t, c, 50*time.Millisecond) {
		t.Error("a host without power answered")
	}
	begun = clock.Now()
	must(t, s.PowerOn("h1"))
	t.Logf("powered on in %v", clock.Now().Sub(begun))
	if h.Inode() == inode {
		t.Error("the kernel's state outlived the power-off")
	}
	// The old connection is unknown to the new kernel, which resets it when it is spoken to again.
	must(t, c.SetReadDeadline(time.Now().Add(3*time.Second)))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("the old connection ended with %v; want a reset", err)
	}
	c, err = dial(t, s.Client(), echo(t, h))
	must(t, err)
	if !says(t, c, time.Second) {
		t.Error("the host does not answer after power-on")
	}
}

func TestFrozenHostStandsStill(t *testing.T) {
	s := open(t, "h1")
	p, err := s.Host("h1").Start(Command{Path: "sleep", Args: []string{"300"}})
	must(t, err)
	must(t, s.Freeze("h1"))
	awaitState(t, p, 'T')
	must(t, s.Thaw("h1"))
	awaitState(t, p, 'S')
	_, err = p.Kill()
	must(t, err)
	if at, how := p.End(); at == 0 || how == nil {
		t.Errorf("the end was at %v with %v", at, how)
	}
	if err := p.Signal(unix.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal to a dead program: %v", err)
	}
}

// awaitState waits until the kernel shows the process in a state, for a second at most.
func awaitState(t *testing.T, p *Process, want byte) {
	t.Helper()
	limit := time.After(time.Second)
	for {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid()))
		must(t, err)
		_, rest, _ := strings.Cut(string(content), ") ")
		if rest[0] == want {
			return
		}
		select {
		case <-limit:
			t.Fatalf("process is in state %c; want %c", rest[0], want)
		case <-time.After(time.Millisecond):
		}
	}
}

func TestLogKeepsTheNewestOutput(t *testing.T) {
	s := open(t, "h1")
	p, err := s.Host("h1").Start(Command{Name: "talker", Path: "sh", Args: []string{"-c", "yes 123456789abcdef | head -n 1000000; echo the end"}})
	must(t, err)
	select {
	case <-p.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("the program does not end")
	}
	newest, err := os.ReadFile(p.Log())
	must(t, err)
	older, err := os.Stat(p.Log() + ".1")
	must(t, err)
	if !strings.HasSuffix(string(newest), "the end\n") {
		t.Error("the last line is missing")
	}
	if total := len(newest) + int(older.Size()); total > 2*logHalf+64<<10 {
		t.Errorf("the log has %d bytes", total)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	s, err := New(t.Context(), Options{Dir: parent})
	if forbidden := (*Forbidden)(nil); errors.As(err, &forbidden) {
		need.Right(t, err)
	}
	must(t, err)
	var pids []int
	for _, h := range s.Hosts() {
		p, err := h.Start(Command{Path: "sh", Args: []string{"-c", "setsid sleep 300 & sleep 300"}})
		must(t, err)
		pids = append(pids, p.Pid())
	}
	must(t, s.Close())
	for _, pid := range pids {
		if unix.Kill(pid, 0) == nil {
			t.Errorf("process %d is left", pid)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(parent, "*")); len(left) > 0 {
		t.Errorf("files are left: %v", left)
	}
	must(t, s.Close())
}

// TestDeathLeavesNothing kills a process that has a stage, which has then no chance to clean up.
func TestDeathLeavesNothing(t *testing.T) {
	if parent := os.Getenv("STAGE_TEST_DIE"); parent != "" {
		s, err := New(t.Context(), Options{Dir: parent, Hosts: []string{"h1"}})
		must(t, err)
		p, err := s.Host("h1").Start(Command{Path: "sleep", Args: []string{"300"}})
		must(t, err)
		fmt.Printf("pid %d\n", p.Pid())
		<-t.Context().Done()
	}
	parent := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestDeathLeavesNothing$")
	cmd.Env = append(os.Environ(), "STAGE_TEST_DIE="+parent)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	var pid int
	if _, err := fmt.Fscanf(out, "pid %d\n", &pid); err != nil {
		need.Right(t, "no stage can be made here: ", err)
	}
	must(t, cmd.Process.Kill())
	cmd.Wait()
	await(t, func() bool {
		content, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return err != nil || strings.Contains(string(content), ") Z")
	})
	if left, _ := filepath.Glob(filepath.Join(parent, "*")); len(left) != 1 {
		t.Errorf("the dead stage left %v", left)
	}
	d, err := makeDirectory(parent)
	must(t, err)
	must(t, d.close(false))
	if left, _ := filepath.Glob(filepath.Join(parent, "*")); len(left) > 0 {
		t.Errorf("the next stage left %v", left)
	}
}

// TestOrdinaryUserEnters runs these tests' own binary as nobody, who needs a user namespace.
func TestOrdinaryUserEnters(t *testing.T) {
	if os.Getuid() != 0 || os.Getenv("STAGE_TEST_NOBODY") != "" {
		t.Skip("is run by root, for nobody")
	}
	const nobody = 65534
	home, err := os.MkdirTemp("", "stage-nobody-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(home) })
	must(t, os.Chown(home, nobody, nobody))
	binary := filepath.Join(home, "stage.test")
	content, err := os.ReadFile("/proc/self/exe")
	must(t, err)
	must(t, os.WriteFile(binary, content, 0o755))
	cmd := exec.CommandContext(t.Context(), binary, "-test.v", "-test.run=^Test(HostsReach|CutIn|PowerOff|RedisReplicates|CloseLeaves)")
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "STAGE_TEST_NOBODY=1", "TMPDIR="+home, "HOME="+home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), "forbidden by") {
		t.Skip(string(out))
	}
	if err != nil || strings.Contains(string(out), "--- SKIP") {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func TestHostsReachEachOtherByIPv6AtOnce(t *testing.T) {
	s := open(t, "h1", "h2")
	if !hasIPv6() {
		t.Skip("this machine has no IPv6")
	}
	to := s.Host("h2")
	if got := to.Addr6().String(); got != "fd00:77::12" {
		t.Errorf("h2 has %s", got)
	}
	l, err := to.Listen(t.Context(), net.JoinHostPort(to.Addr6().String(), "7"))
	must(t, err)
	defer l.Close()
	begun := clock.Now()
	if _, err := dial(t, s.Host("h1"), l.Addr().String()); err != nil {
		t.Error(err)
	}
	// A search for duplicates, or a lost question for a hardware address, would take a second.
	if took := clock.Now().Sub(begun); took > 500*time.Millisecond {
		t.Errorf("connected after %v", took)
	}
}

func TestGuestsAreNoNodes(t *testing.T) {
	s, err := New(t.Context(), Options{Hosts: []string{"h1"}, Guests: []string{"observer"}, Dir: t.TempDir()})
	var forbidden *Forbidden
	if errors.As(err, &forbidden) {
		need.Right(t, err)
	}
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	if len(s.Hosts()) != 1 || s.Client().Addr().String() != "10.77.0.9" || s.Host("observer").Addr().String() != "10.77.0.8" {
		t.Errorf("nodes %v, client %v, observer %v", s.Hosts(), s.Client().Addr(), s.Host("observer").Addr())
	}
	if _, err := dial(t, s.Host("observer"), echo(t, s.Host("h1"))); err != nil {
		t.Error(err)
	}
	for _, o := range []Options{{Guests: []string{"h1"}}, {Guests: []string{"client"}}, {Guests: make([]string, 9)}} {
		if s, err := New(t.Context(), o); err == nil {
			t.Errorf("%v was built", o)
			must(t, s.Close())
		}
	}
}

func TestOthersEnterAHostByItsPath(t *testing.T) {
	s := open(t, "h1")
	var stat unix.Stat_t
	must(t, unix.Stat(s.Host("h1").Namespace(), &stat))
	if stat.Ino != s.Host("h1").Inode() {
		t.Errorf("%s is %d, not %d", s.Host("h1").Namespace(), stat.Ino, s.Host("h1").Inode())
	}
}
