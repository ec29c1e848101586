package namespace

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Forbidden says that this machine does not let this process make namespaces, by which setting, and what to do.
type Forbidden struct {
	// Setting names what stands in the way, as an administrator knows it.
	Setting string
	// Help is one line to type.
	Help string
	// Cause is what the kernel answered.
	Cause error
}

// Error names the setting and ends with the line that helps.
func (f *Forbidden) Error() string {
	return fmt.Sprintf("make namespaces: %v; forbidden by %s; run: %s", f.Cause, f.Setting, f.Help)
}

// Unwrap returns what the kernel answered.
func (f *Forbidden) Unwrap() error { return f.Cause }

// machine is what Explain asks about; tests answer with made-up ones.
type machine struct {
	read func(path string) string // a file's content without blanks around it; "" when it can't be read
	root bool
	name string // how the user calls this program
}

func thisMachine() machine {
	read := func(path string) string {
		content, err := os.ReadFile(path)
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(content))
	}
	return machine{read: read, root: os.Getuid() == 0, name: strings.Join(os.Args, " ")}
}

// Explain turns the failure to make a namespace into a *Forbidden, where the kernel's answer is one of refusal. Any
// other error, and nil, is returned as it is.
func Explain(err error) error {
	refused := errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOSPC) ||
		errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EUSERS)
	var already *Forbidden
	if err == nil || !refused || errors.As(err, &already) {
		return err
	}
	return thisMachine().explain(err)
}

// explain looks at the settings from the plainest to the least certain. Each of the first four would refuse by itself,
// so the order matters only where two are set, and then the next attempt names the other.
func (m machine) explain(cause error) *Forbidden {
	const (
		sysctl     = "/proc/sys/"
		maxUser    = "user/max_user_namespaces"
		maxNet     = "user/max_net_namespaces"
		clone      = "kernel/unprivileged_userns_clone"
		restricted = "kernel/apparmor_restrict_unprivileged_userns"
	)
	because := func(setting, help string) *Forbidden { return &Forbidden{Setting: setting, Help: help, Cause: cause} }
	switch {
	case m.read(sysctl+maxNet) == "0":
		return because("user.max_net_namespaces = 0", "sudo sysctl -w user.max_net_namespaces=1024")
	case !m.root && m.read("/proc/self/ns/user") == "" && m.read(sysctl+maxUser) == "":
		return because("a kernel without user namespaces (CONFIG_USER_NS)", "sudo "+m.name)
	case !m.root && m.read(sysctl+maxUser) == "0":
		return because("user.max_user_namespaces = 0", "sudo sysctl -w user.max_user_namespaces=1024")
	case !m.root && m.read(sysctl+clone) == "0":
		return because("kernel.unprivileged_userns_clone = 0", "sudo sysctl -w kernel.unprivileged_userns_clone=1")
	case !m.root && m.read(sysctl+restricted) == "1":
		return because("AppArmor (kernel.apparmor_restrict_unprivileged_userns = 1, as on Ubuntu 23.10 and later)",
			"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0   (until the next boot)   or: sudo "+m.name)
	case m.confined():
		return because("the seccomp filter of a container or a service manager",
			"docker run --privileged ...   (or outside of the container: sudo "+m.name+")")
	case m.root:
		return because("a missing capability (root without CAP_SYS_ADMIN: a container)", "docker run --privileged ...")
	default:
		return because("a security module or limit of this machine that redkeep does not know", "sudo "+m.name)
	}
}

// confined reports whether a seccomp filter is on this process (mode 2 in its status).
func (m machine) confined() bool {
	for line := range strings.Lines(m.read("/proc/self/status")) {
		if value, ok := strings.CutPrefix(line, "Seccomp:"); ok {
			return strings.TrimSpace(value) == "2"
		}
	}
	return false
}
