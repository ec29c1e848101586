package keepalived

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"redkeep/internal/speak/keepalivedconf"
)

// usualUser runs scripts for which nobody is named, where there is such a user; keepalived has it so.
const usualUser = "keepalived_script"

// as is a command with the user that it runs as: its own, or the configuration's.
func as(g *keepalivedconf.Global, c keepalivedconf.Command) keepalivedconf.Command {
	if c.User != "" {
		return c
	}
	if c.User, c.Group = g.ScriptUser, g.ScriptGroup; c.User == "" {
		if _, err := user.Lookup(usualUser); err == nil {
			c.User = usualUser
		}
	}
	return c
}

// grace is for how long a script that is to end may still do so by itself.
const grace = time.Second

// execute runs a program without a shell, as the user that it names, in a process group of its own. That is told to end with the context,
// and killed as a whole if it does not.
func execute(ctx context.Context, c keepalivedconf.Command) error {
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	cmd.Env = slices.DeleteFunc(os.Environ(), func(one string) bool { return strings.HasPrefix(one, "NOTIFY_SOCKET=") })
	who, err := credential(c)
	if err != nil {
		return err
	}
	cmd.SysProcAttr.Credential = who
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = grace
	err = cmd.Run()
	if ctx.Err() != nil && cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // What it started may be left, and would go on beside the next one.
	}
	return err
}

// credential is whom a program runs as; nil for as whoever this process is.
func credential(c keepalivedconf.Command) (*syscall.Credential, error) {
	if c.User == "" || os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(c.User)
	if err != nil {
		if u, err = user.LookupId(c.User); err != nil {
			return nil, fmt.Errorf("find user %s: %w", c.User, err)
		}
	}
	gid := u.Gid
	if c.Group != "" {
		g, err := user.LookupGroup(c.Group)
		if err != nil {
			if g, err = user.LookupGroupId(c.Group); err != nil {
				return nil, fmt.Errorf("find group %s: %w", c.Group, err)
			}
		}
		gid = g.Gid
	}
	id, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("find user %s: %w", c.User, err)
	}
	group, err := strconv.ParseUint(gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("find group %s: %w", gid, err)
	}
	if int(id) == os.Getuid() && int(group) == os.Getgid() {
		return nil, nil // There is nothing to change, and a user namespace may forbid it.
	}
	return &syscall.Credential{Uid: uint32(id), Gid: uint32(group)}, nil
}
