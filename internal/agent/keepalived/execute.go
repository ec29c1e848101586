package keepalived

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
	"time"

	"redkeep/internal/speak/keepalivedconf"
)

// execute runs a program without a shell, as the user that it names, in a process group of its own, which is killed as a whole
// when the context ends.
func execute(ctx context.Context, c keepalivedconf.Command) error {
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	who, err := credential(c)
	if err != nil {
		return err
	}
	cmd.SysProcAttr.Credential = who
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	return cmd.Run()
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
	return &syscall.Credential{Uid: uint32(id), Gid: uint32(group)}, nil
}
