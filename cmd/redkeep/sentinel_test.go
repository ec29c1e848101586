package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"redkeep/internal/show/sentinel"
	"redkeep/internal/speak/logline"
)

// simulatedFailure is an end with an exit code.
type simulatedFailure struct{}

func (simulatedFailure) Error() string { return "Failure simulation: this Sentinel crashed" }
func (simulatedFailure) ExitCode() int { return 99 }

// quietLoop is a Sentinel that watches nobody, so that what is around it can be tested without a port. The variable LOOP has it fail.
func quietLoop() sentinelLoop {
	return sentinelLoop{
		user: func(as sentinel.Flavor, rules []string) (int, error) {
			if len(rules) > 0 && (rules[0] == "bad" || rules[0] == "bad-for-valkey" && as == sentinel.Valkey9) {
				return 0, errors.New("Syntax error")
			}
			return 0, nil
		},
		run: func(ctx context.Context, o sentinelOptions) error {
			switch os.Getenv("LOOP") {
			case "fail":
				o.Log(logline.Warning, "Could not create server TCP listening socket")
				return errors.New("Failed listening on port 1 (TCP), aborting.") //nolint:staticcheck // the text is Redis'
			case "99":
				return simulatedFailure{}
			}
			where, _ := os.Getwd()
			o.Log(logline.Notice, fmt.Sprintf("path=%s dir=%s port=%d flavor=%d env=%v", o.Path, where, o.Conf.Port, o.Flavor,
				os.Getenv(detached)+os.Getenv(slackened)))
			o.Log(logline.Debug, "not to be seen")
			o.SetLogLevel(logline.Debug)
			o.Log(logline.Debug, "to be seen")
			o.Ready()
			<-ctx.Done()
			return nil
		},
	}
}

// sentinelAs is main under another name.
func sentinelAs() {
	p, is := calledSentinel(os.Args)
	if !is {
		os.Exit(3)
	}
	os.Exit(int(sentinelMain(context.Background(), p, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}, quietLoop())))
}

// TestSentinelScripts runs what needs a process in the foreground. $PORT is one that nobody uses.
func TestSentinelScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/sentinel", Deadline: time.Now().Add(30 * time.Second),
		Setup: func(env *testscript.Env) error {
			free, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			env.Setenv("PORT", strconv.Itoa(free.Addr().(*net.TCPAddr).Port))
			return free.Close()
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"awaits": awaits},
	})
}

// awaits waits until a file has a match: `awaits x.log 'ready'`.
func awaits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: awaits FILE REGEXP")
	}
	if text := awaitText(ts.MkAbs(args[0]), args[1]); text != "" {
		ts.Fatalf("%s has no %q: %s", args[0], args[1], text)
	}
}

// awaitText waits for a match, and returns what there is if none comes.
func awaitText(name, want string) string {
	pattern := regexp.MustCompile(want)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	for {
		text, err := os.ReadFile(name)
		if err == nil && pattern.Match(text) {
			return ""
		}
		select {
		case <-again.C:
		case <-limit.C:
			return fmt.Sprintf("%s, %v", text, err)
		}
	}
}

func TestCalledSentinel(t *testing.T) {
	for args, want := range map[string]string{
		"/usr/bin/redis-sentinel":               "redis-sentinel",
		"redis-sentinel-7.0 x.conf":             "redis-sentinel",
		"./valkey-sentinel":                     "valkey-sentinel",
		"redis-server x.conf --sentinel":        "redis-sentinel",
		"valkey-server x.conf --sentinel":       "valkey-sentinel",
		"redis-server x.conf":                   "",
		"redkeep x.conf --sentinel":             "",
		"/opt/redis-sentinel/redkeep":           "",
		"/opt/redkeep sentinel /redis-sentinel": "",
		"":                                      "",
	} {
		p, is := calledSentinel(strings.Fields(args))
		if p.name != want || is != (want != "") {
			t.Errorf("%q: %v", args, p)
		}
	}
}

// write makes a configuration in a directory of its own.
func writeConf(t *testing.T, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(path, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// sentinelCommand is a start of it in a directory, with variables added.
func sentinelCommand(path string, env ...string) *exec.Cmd {
	cmd := exec.Command("redis-sentinel", filepath.Base(path))
	cmd.Dir, cmd.Env = filepath.Dir(path), append(os.Environ(), env...)
	return cmd
}

// TestDaemon: the command returns when the daemon is ready, and that is alone in the world.
func TestDaemon(t *testing.T) {
	path := writeConf(t, "daemonize yes\ndir sub\npidfile x.pid\nlogfile x.log\n")
	sub := filepath.Join(filepath.Dir(path), "sub")
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := sentinelCommand(path).CombinedOutput(); err != nil || len(out) != 0 {
		t.Fatalf("%s, %v", out, err)
	}
	text, err := os.ReadFile(filepath.Join(sub, "x.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		t.Fatalf("pid %q, %v", text, err)
	}
	daemon, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = daemon.Kill() }()
	if sid, err := unix.Getsid(pid); err != nil || sid != pid {
		t.Errorf("session %d of process %d, %v", sid, pid, err)
	}
	for fd := range 3 {
		if to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd)); err != nil || to != os.DevNull {
			t.Errorf("descriptor %d leads to %s, %v", fd, to, err)
		}
	}
	if to, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/3", pid)); strings.HasPrefix(to, "pipe:") {
		t.Error("the way to the one who started it is open still")
	}
	if err := daemon.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(sub, "x.log")
	want := fmt.Sprintf(`(?s)^%d:X .* \* path=%s dir=%s port=26379 flavor=0 env=\n.* # User requested.* \* Removing the pid file\.\n.* # Sentinel is now ready to exit, bye bye\.\.\.\n$`, pid, path, sub)
	if text := awaitText(log, want); text != "" {
		t.Errorf("the log: %s; want %s", text, want)
	}
	if _, err := os.Stat(filepath.Join(sub, "x.pid")); err == nil {
		t.Error("the pid file is still there")
	}
}

// TestDaemonThatFailsSaysWhy to the one who started it, whether its log is a file or nowhere; and takes nothing from another one.
func TestDaemonThatFailsSaysWhy(t *testing.T) {
	for _, log := range []string{"", "logfile x.log\n"} {
		path := writeConf(t, "daemonize yes\npidfile x.pid\n"+log)
		first := filepath.Join(filepath.Dir(path), "x.pid")
		if err := os.WriteFile(first, []byte("1\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		var out, complaint bytes.Buffer
		cmd := sentinelCommand(path, "LOOP=fail")
		cmd.Stdout, cmd.Stderr = &out, &complaint
		if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != 1 || out.Len() > 0 {
			t.Errorf("%v, %s", err, out.String())
		}
		if s := complaint.String(); !strings.Contains(s, "Could not create server") || !strings.Contains(s, "Failed listening on port 1 (TCP), aborting.\n") {
			t.Errorf("with %q it says %q", log, s)
		}
		if text, err := os.ReadFile(first); string(text) != "1\n" {
			t.Errorf("the pid file of the one that runs has %q, %v", text, err)
		}
	}
}

// TestSupervisedBySystemd, who is told more than once, and instead of whom nothing is put in the background.
func TestSupervisedBySystemd(t *testing.T) {
	for _, how := range []string{"systemd", "auto"} {
		path := writeConf(t, "daemonize yes\npidfile x.pid\nsupervised "+how+"\n")
		socket := filepath.Join(filepath.Dir(path), "notify")
		c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		cmd := sentinelCommand(path, "NOTIFY_SOCKET="+socket)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = cmd.Process.Kill() }()
		for i, want := range []string{"STATUS=Redkeep is loading...", "STATUS=Ready to accept connections\nREADY=1", "STOPPING=1"} {
			var got [1000]byte
			n, err := c.Read(got[:])
			if err != nil || string(got[:n]) != want {
				t.Errorf("%s: told %q, %v; want %q", how, got[:n], err, want)
			}
			if i == 1 {
				_ = cmd.Process.Signal(unix.SIGTERM)
			}
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// TestTwoDaemonsShareAPidFileByMistake: the one that ends first leaves the other's.
func TestTwoDaemonsShareAPidFileByMistake(t *testing.T) {
	f := pidFile(filepath.Join(t.TempDir(), "x.pid"))
	if err := f.write(); err != nil {
		t.Fatal(err)
	}
	if !f.remove() || f.remove() {
		t.Error("its own is not removed once")
	}
	if err := os.WriteFile(string(f), []byte("1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if f.remove() {
		t.Error("another's is removed")
	}
	if err := pidFile("/nonexistent/x.pid").write(); err == nil || !strings.Contains(err.Error(), "make /nonexistent writable") {
		t.Error(err)
	}
}

func TestOwnFlags(t *testing.T) {
	p, rest, err := redisSentinel.ownFlags([]string{"--observe", "--as", "valkey-9", "x.conf", "--port", "1"})
	if err != nil || !p.observe || p.flavor != flavors["valkey-9"] || strings.Join(rest, " ") != "x.conf --port 1" {
		t.Errorf("%+v, %q, %v", p, rest, err)
	}
	if p, rest, err := valkeySentinel.ownFlags([]string{"--port", "1", "--observe"}); err != nil || p != valkeySentinel || len(rest) != 3 {
		t.Errorf("behind an option of the configuration: %+v, %q, %v", p, rest, err)
	}
	for _, bad := range [][]string{{"--as", "redis-9", "x"}, {"--as"}} {
		if _, _, err := redisSentinel.ownFlags(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
