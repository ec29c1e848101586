package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"redkeep/internal/show/sentinel"
	"redkeep/internal/speak/logline"
	"redkeep/internal/speak/sentinelconf"
)

// sentinelLoop is what a Sentinel's process runs, once it is where it should be: in the foreground or not, with its log, its limits and its
// number in a file.
type sentinelLoop struct {
	// user looks at the rules of one user of the configuration, about the commands of a release: see sentinelconf.Machine.
	user func(as sentinel.Flavor, rules []string) (at int, err error)
	// run watches until ctx ends or a client asks for the end, which is no error. It calls ready once, when it listens. An error with
	// an ExitCode gets that one.
	run func(ctx context.Context, o sentinelOptions) error
}

// sentinelOptions are what a start has found out.
type sentinelOptions struct {
	// Path is the configuration's, absolute; Conf is what is in it, and in the options. The working directory is the one that it wants.
	Path string
	Conf *sentinelconf.Conf
	// Flavor is the release whose commands clients find.
	Flavor sentinel.Flavor
	// Observe is to change nothing anywhere, and to say what would have been done.
	Observe bool
	// Log writes one line and does not wait; SetLogLevel changes which lines are written. Both are for any goroutine.
	Log         func(level logline.Level, text string)
	SetLogLevel func(least logline.Level)
	Ready       func()
}

// newSentinel builds `redkeep sentinel`. Its options are the configuration's directives, so that cobra must not look at them.
func newSentinel(s streams, w sentinelLoop) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sentinel [--observe] [--as RELEASE] FILE [--option value ...]",
		Short: "Be a Sentinel with a sentinel.conf, in redis-sentinel's place",
		Long: `Be a Sentinel with a sentinel.conf, in redis-sentinel's place: with the same file, the same protocol,
the same log and the same rules of election, so that it can take part in a quorum of others. Nothing on
this host is touched but that file: no packet filter, no address.

FILE is where its state is kept too, and must be writable. Each --option is a line after its last. The same
is done by this program when it is called redis-sentinel or valkey-sentinel, or redis-server with
--sentinel: the package makes no such link by itself. To replace a Sentinel and to go back, stop one and
start the other with the same FILE.

--observe, before FILE, watches the groups of FILE beside the Sentinels that run with it, and changes
nothing: it greets nobody, votes for nobody, gives no orders and does not write FILE. It stays in the
foreground, listens on no port but one of an option, and says what it would have done and when.
--as is the release whose commands clients find: redis-7.0 (the default), redis-7.2, valkey-8, valkey-9.

SIGTERM and SIGINT end it; it exits with 1 where it can't start, and says why in its log.`,
		Example: `  redkeep sentinel /etc/redis/sentinel.conf
  redkeep sentinel /etc/redis/sentinel.conf --port 5000 --loglevel verbose
  redkeep sentinel --observe /etc/redis/sentinel.conf
  ln -s /usr/bin/redkeep /usr/local/bin/redis-sentinel
  systemctl disable --now redis-sentinel && systemctl enable --now redkeep-sentinel`,
		DisableFlagParsing: true,
		Args:               cobra.ArbitraryArgs,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 && (args[0] == "-h" || args[0] == "--help" || args[0] == "help") {
			return cmd.Help()
		}
		p, args, err := redisSentinel.ownFlags(args)
		if err == nil && len(args) > 0 && strings.HasPrefix(args[0], "--") {
			name, _, _ := strings.Cut(args[0], "=")
			err = fmt.Errorf("start a Sentinel: there is no %s before the file; options of the configuration stand behind it", name)
		}
		if err == nil && len(args) == 0 {
			err = errors.New("start a Sentinel: it needs its configuration; run: redkeep sentinel FILE")
		}
		if err != nil {
			return withCode(exitUsage, err)
		}
		if c := sentinelMain(cmd.Context(), p, args, s, w); c != exitDone {
			return withCode(c, errors.New("")) // its log has it
		}
		return nil
	}
	return cmd
}

// flavors are the releases that --as knows.
var flavors = map[string]sentinel.Flavor{
	"redis-7.0": sentinel.Redis70, "redis-7.2": sentinel.Redis72, "valkey-8": sentinel.Valkey8, "valkey-9": sentinel.Valkey9,
}

// ownFlags reads --observe and --as before the file: those are not the configuration's, under whatever name this program was called.
func (p program) ownFlags(args []string) (is program, rest []string, err error) {
	for len(args) > 0 {
		name, value, joined := strings.Cut(args[0], "=")
		switch {
		case name == "--observe" && !joined:
			p.observe, args = true, args[1:]
			continue
		case name != "--as":
			return p, args, nil
		}
		if args = args[1:]; !joined && len(args) > 0 {
			value, args = args[0], args[1:]
		}
		known := false
		if p.flavor, known = flavors[value]; !known {
			return p, nil, fmt.Errorf("start a Sentinel: --as knows no %q; choose one of %s", value, strings.Join(slices.Sorted(maps.Keys(flavors)), ", "))
		}
	}
	return p, args, nil
}
