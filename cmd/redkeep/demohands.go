package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"redkeep/internal/stage/demo"
)

// demoHands builds the commands to a demo that stays.
func demoHands(s streams) []*cobra.Command {
	return []*cobra.Command{
		demoHand(s, "kill", "Kill the redis-server of a demo's host", `Kill the redis-server of a host of the demo that runs in another terminal (redkeep demo --keep),
with SIGKILL. It stays dead until redkeep demo heal.`),
		demoHand(s, "cut", "Pull the network cable of a demo's host", `Pull the network cable of a host of the demo that runs in another terminal (redkeep demo --keep).
Its programs go on and hear nothing more.`),
		demoHand(s, "freeze", "Stop every program on a demo's host", `Stop every program on a host of the demo that runs in another terminal (redkeep demo --keep), agent,
redis-server and your shells on it, with SIGSTOP: a machine that is paused. Its kernel goes on.`),
		demoHand(s, "heal", "Mend whatever is wrong with a demo's host", `Mend whatever is wrong with a host of the demo that runs in another terminal (redkeep demo --keep):
its cable is plugged in again, its programs go on, and those that have ended are started again.`),
		demoShell(s),
	}
}

// demoHand builds a command that has something done to one host.
func demoHand(s streams, word, short, long string) *cobra.Command {
	cmd := &cobra.Command{
		Use: word + " HOST", Short: short, Long: long, Args: cobra.ExactArgs(1),
		Example: "  redkeep demo " + word + " h1",
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		said, _, err := demo.Ask(cmd.Context(), demo.Socket(), word, args[0])
		if err != nil {
			return denied(word, err)
		}
		_, err = fmt.Fprintln(s.out, said)
		return err
	}
	return cmd
}

// denied gives the demo's answer its exit code.
func denied(word string, err error) error {
	var d *demo.Denial
	if errors.As(err, &d) {
		switch d.Code {
		case demo.Misused:
			return withCode(exitUsage, fmt.Errorf("demo %s: %w", word, err))
		case demo.Refused:
			return withCode(exitRefused, fmt.Errorf("demo %s: %w", word, err))
		}
	}
	return fmt.Errorf("demo %s: %w", word, err)
}

// demoShell builds `redkeep demo shell`.
func demoShell(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "shell HOST [-- COMMAND...]",
		Short: "Open a shell on a demo's host",
		Long: `Open a shell on a host of the demo that runs in another terminal (redkeep demo --keep), or run a command
there. It has the host's network and may change it; the files are this machine's. It needs nsenter
(package util-linux), and becomes it.`,
		Example: "  redkeep demo shell h1\n  redkeep demo shell h1 -- redis-cli role",
		Args:    cobra.MinimumNArgs(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		err := enterHost(cmd.Context(), s, args[0], args[1:])
		return denied("shell", err)
	}
	return cmd
}

// enterHost replaces this program by nsenter.
func enterHost(ctx context.Context, s streams, host string, command []string) error {
	nsenter, err := exec.LookPath("nsenter")
	if err != nil {
		return fmt.Errorf("find nsenter: %w; install it (Debian and Ubuntu: apt-get install util-linux)", err)
	}
	_, at, err := demo.Ask(ctx, demo.Socket(), "shell", host)
	if err != nil {
		return err
	}
	if at == nil {
		return errors.New("the demo does not say where the host is")
	}
	if len(command) == 0 {
		shell := os.Getenv("SHELL")
		if shell == "" {
			shell = "/bin/sh"
		}
		command = []string{shell}
		_, err = fmt.Fprintf(s.out, "on %s now; try: ip address; redis-cli -h %s role; %s status -c %s; exit leaves\n", host, at.Addr, os.Args[0], at.Config)
		if err != nil {
			return err
		}
	}
	args := append(demo.Enter(at.Network, at.User), append([]string{"--"}, command...)...)
	if err := unix.Exec(nsenter, args, os.Environ()); err != nil {
		return fmt.Errorf("become nsenter: %w", err)
	}
	return nil
}

// unicodeName is a locale's character set that has every character.
var unicodeName = regexp.MustCompile(`(?i)utf-?8`)

// unicodeLocale reports whether the user's locale shows Unicode: the first of these that is set counts.
func unicodeLocale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := getenv(name); value != "" {
			return unicodeName.MatchString(value)
		}
	}
	return false
}
