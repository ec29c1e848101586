package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// elsewhere is a command of the documentation that can't be run on a host of the lab, and what is done instead.
type elsewhere struct {
	// command is the beginning of the command line.
	command *regexp.Regexp
	// why it is not run.
	why string
	// instead does or checks what can be; args are the command's words.
	instead func(ctx context.Context, s *readers, where string, args []string) error
}

// notRunHere are all of them. A command of docs/ or the README that is neither here nor can be run fails the test.
var notRunHere = []elsewhere{
	{
		regexp.MustCompile(`^systemctl `), "a namespace has no systemd",
		func(ctx context.Context, s *readers, where string, args []string) error {
			return s.systemctl(ctx, where, args[1:])
		},
	},
	{
		regexp.MustCompile(`^apt-get install -y (redis-server|redis-tools|valkey-server)$`), "nothing is installed on the machine that runs the tests",
		func(context.Context, *readers, string, []string) error {
			_, err := exec.LookPath("redis-cli")
			return err
		},
	},
	{
		regexp.MustCompile(`^apt-get (install|remove|purge) -y (\./redkeep_.*\.deb|redkeep)$`), "as above; the package has its own test, the units' lines are run here",
		func(_ context.Context, s *readers, _ string, _ []string) error {
			_, err := os.Stat(filepath.Join(s.tree, "dist", "redkeep.service"))
			return err
		},
	},
	{
		regexp.MustCompile(`^make( |$)`), "the verbs build, test and install; here it is checked that they exist",
		func(_ context.Context, s *readers, _ string, args []string) error { return s.verb(args[1:]) },
	},
	{
		regexp.MustCompile(`^redkeep run `), "it does not end by itself: the units run it on every host",
		func(_ context.Context, s *readers, _ string, args []string) error {
			return s.unitHas("redkeep.service", strings.Join(args[1:], " "))
		},
	},
	{
		regexp.MustCompile(`^scp -p (/\S+) (h\d):(/\S+)$`), "the hosts have no SSH: the file is copied",
		func(_ context.Context, s *readers, where string, args []string) error {
			host, path, _ := strings.Cut(args[3], ":")
			return s.copyFile(where, args[2], host, path)
		},
	},
	{
		regexp.MustCompile(`^(journalctl|dmesg)( |$)`), "the log of the machine that runs the tests says nothing of its namespaces",
		func(context.Context, *readers, string, []string) error { return nil },
	},
}

// insteadOf returns the entry for a command line, if it has one.
func insteadOf(line string) (elsewhere, bool) {
	i := slices.IndexFunc(notRunHere, func(e elsewhere) bool { return e.command.MatchString(line) })
	if i < 0 {
		return elsewhere{}, false
	}
	return notRunHere[i], true
}

// systemctl does to a host's units what was asked for.
func (s *readers) systemctl(ctx context.Context, where string, args []string) error {
	h := s.houses[where]
	if h == nil {
		return fmt.Errorf("systemctl on %q: no host of that name has services", where)
	}
	verb, signal, now := args[0], unix.SIGTERM, false
	args = args[1:]
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "--now":
			now = true
		case "-s":
			signal = unix.SignalNum("SIG" + strings.TrimPrefix(args[1], "SIG"))
			args = args[1:]
		default:
			return fmt.Errorf("systemctl %s: the tests know no option %s", verb, args[0])
		}
		args = args[1:]
	}
	for _, name := range args {
		u := s.units[where][name]
		if u == nil {
			return fmt.Errorf("systemctl %s: there is no unit %q in dist/", verb, name)
		}
		if err := s.settle(where, u, verb, now); err != nil {
			return err
		}
		if err := u.told(ctx, verb, signal, now); err != nil {
			return fmt.Errorf("systemctl %s %s on %s: %w", verb, name, where, err)
		}
	}
	return nil
}

// settle stops what must not run beside a service that is about to start.
func (s *readers) settle(where string, u *unit, verb string, now bool) error {
	if verb != "start" && verb != "restart" && (verb != "enable" || !now) {
		return nil
	}
	for _, name := range u.conflicts {
		if other := s.units[where][name]; other != nil {
			if err := other.Stop(); err != nil {
				return fmt.Errorf("stop %s, which %s conflicts with: %w", name, u.name, err)
			}
		}
	}
	return nil
}

// told does one verb of systemctl.
func (u *unit) told(ctx context.Context, verb string, signal unix.Signal, now bool) error {
	switch verb {
	case "enable", "disable":
		u.Enable(verb == "enable")
		switch {
		case !now:
			return nil
		case verb == "enable":
			return u.Start(ctx)
		}
		return u.Stop()
	case "start":
		return u.Start(ctx)
	case "stop":
		return u.Stop()
	case "restart":
		return u.Restart(ctx)
	case "kill":
		return u.Kill(signal)
	default:
		return fmt.Errorf("the tests know no such verb")
	}
}

// verb checks that the Makefile has what is asked of it.
func (s *readers) verb(args []string) error {
	text, err := os.ReadFile(filepath.Join(s.tree, "Makefile"))
	if err != nil {
		return err
	}
	for _, a := range args {
		if !strings.Contains(a, "=") && !regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(a)+`:`).Match(text) {
			return fmt.Errorf("the Makefile has no verb %q", a)
		}
	}
	return nil
}

// unitHas checks that a unit's command is what the page says.
func (s *readers) unitHas(file, command string) error {
	text, err := os.ReadFile(filepath.Join(s.tree, "dist", file))
	if err == nil && !strings.Contains(string(text), command+"\n") {
		err = fmt.Errorf("dist/%s does not have the line %q", file, command)
	}
	return err
}

// copyFile takes a file to another host.
func (s *readers) copyFile(from, path, to, target string) error {
	if s.houses[from] == nil || s.houses[to] == nil {
		return fmt.Errorf("copy %s from %q to %q: no such host", path, from, to)
	}
	text, err := os.ReadFile(s.houses[from].at(path))
	if err != nil {
		return err
	}
	info, err := os.Stat(s.houses[from].at(path))
	if err != nil {
		return err
	}
	if err := s.houses[to].write(target, string(text), info.Mode().Perm()); err != nil {
		return err
	}
	return os.Chmod(s.houses[to].at(target), info.Mode().Perm())
}
