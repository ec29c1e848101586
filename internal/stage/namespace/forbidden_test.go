package namespace

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/need"
)

func TestForbiddenNamesTheSettingAndWhatHelps(t *testing.T) {
	const status = "/proc/self/status"
	const maxUser = "/proc/sys/user/max_user_namespaces"
	free := "Name:\tx\nSeccomp:\t0\nSeccomp_filters:\t0"
	for _, c := range []struct {
		name          string
		root          bool
		files         map[string]string
		setting, help string
	}{
		{"Ubuntu 24.04", false, map[string]string{maxUser: "127235", status: free,
			"/proc/sys/kernel/unprivileged_userns_clone":             "1",
			"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1"},
			"apparmor_restrict_unprivileged_userns = 1", "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
		{"no user namespaces", false, map[string]string{maxUser: "0", status: free},
			"user.max_user_namespaces = 0", "sudo sysctl -w user.max_user_namespaces=1024"},
		{"old Debian", false, map[string]string{maxUser: "100", status: free, "/proc/sys/kernel/unprivileged_userns_clone": "0"},
			"kernel.unprivileged_userns_clone = 0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"},
		{"no network namespaces", true, map[string]string{"/proc/sys/user/max_net_namespaces": "0", status: free},
			"user.max_net_namespaces = 0", "sudo sysctl -w user.max_net_namespaces=1024"},
		{"container", false, map[string]string{maxUser: "100", status: "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1"},
			"seccomp", "docker run --privileged"},
		{"container, as root", true, map[string]string{maxUser: "100", status: free},
			"CAP_SYS_ADMIN", "docker run --privileged"},
		{"kernel without", false, map[string]string{status: free}, "CONFIG_USER_NS", "sudo redkeep demo"},
		{"unknown", false, map[string]string{maxUser: "100", status: free}, "does not know", "sudo redkeep demo"},
	} {
		m := machine{read: func(path string) string { return c.files[path] }, root: c.root, name: "redkeep demo"}
		got := m.explain(os.NewSyscallError("unshare", unix.EPERM))
		if !strings.Contains(got.Setting, c.setting) || !strings.Contains(got.Help, c.help) {
			t.Errorf("%s: %v", c.name, got)
		}
		if !errors.Is(got, unix.EPERM) || !strings.HasSuffix(got.Error(), got.Help) {
			t.Errorf("%s: the error is %q", c.name, got)
		}
	}
}

func TestExplainLeavesOtherErrorsAlone(t *testing.T) {
	if err := Explain(nil); err != nil {
		t.Error(err)
	}
	other := errors.New("disk full")
	if err := Explain(other); err != other {
		t.Error(err)
	}
	once := Explain(fmt.Errorf("make network namespace: %w", unix.EPERM))
	var forbidden *Forbidden
	if !errors.As(once, &forbidden) || Explain(once) != once {
		t.Errorf("%v", once)
	}
}

// thread opens a namespace for a test.
func thread(t *testing.T) *Thread {
	t.Helper()
	n, err := Open()
	if err != nil {
		need.Right(t, Explain(err))
	}
	t.Cleanup(n.Close)
	return n
}

func TestThreadIsElsewhereAndItsLoopbackIsUp(t *testing.T) {
	one, two := thread(t), thread(t)
	if one.Inode() == two.Inode() {
		t.Fatal("two threads share a namespace")
	}
	l, err := one.Listen(t.Context(), "127.0.0.1:7")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if c, err := one.Dial(t.Context(), "tcp", "127.0.0.1:7"); err != nil {
		t.Error(err)
	} else {
		c.Close()
	}
	if _, err := two.Dial(t.Context(), "tcp", "127.0.0.1:7"); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("the other namespace's port: %v", err)
	}
}

func TestClosedThreadRefuses(t *testing.T) {
	n := thread(t)
	n.Close()
	n.Close()
	if err := n.Do(func() { t.Error("it was run") }); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := n.Dial(t.Context(), "tcp", "127.0.0.1:7"); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}
