package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"redkeep/internal/speak/logline"
	"redkeep/internal/speak/sentinelconf"
)

// sentinelLoop is what a Sentinel's process runs, once it is where it should be: in the foreground or not, with its log, its limits and its
// number in a file.
type sentinelLoop struct {
	// user looks at the rules of one user of the configuration: see sentinelconf.Machine.
	user func(name string, rules []string) (at int, err error)
	// run watches until ctx ends or a client asks for the end, which is no error. It calls ready once, when it listens. An error with
	// an ExitCode gets that one.
	run func(ctx context.Context, o sentinelOptions) error
}

// sentinelOptions are what a start has found out.
type sentinelOptions struct {
	// Path is the configuration's, absolute; Conf is what is in it, and in the options. The working directory is the one that it wants.
	Path string
	Conf *sentinelconf.Conf
	// Program is redis-sentinel or valkey-sentinel.
	Program string
	// Log writes one line and does not wait; SetLogLevel changes which lines are written. Both are for any goroutine.
	Log         func(level logline.Level, text string)
	SetLogLevel func(least logline.Level)
	Ready       func()
}

// newSentinel builds `redkeep sentinel`. Its options are the configuration's directives, so that cobra must not look at them.
func newSentinel(s streams, w sentinelLoop) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sentinel FILE [--option value ...]",
		Short: "Be a Sentinel with a sentinel.conf, in redis-sentinel's place",
		Long: `Be a Sentinel with a sentinel.conf, in redis-sentinel's place: with the same file, the same protocol,
the same log and the same rules of election, so that it can take part in a quorum of others. Nothing on
this host is touched but that file: no packet filter, no address.

FILE is where its state is kept too, and must be writable. Each --option is a line after its last. The same
is done by this program when it is called redis-sentinel or valkey-sentinel, or redis-server with
--sentinel: the package makes no such link by itself. To replace a Sentinel and to go back, stop one and
start the other with the same FILE.

SIGTERM and SIGINT end it; it exits with 1 where it can't start, and says why in its log.`,
		Example: `  redkeep sentinel /etc/redis/sentinel.conf
  redkeep sentinel /etc/redis/sentinel.conf --port 5000 --loglevel verbose
  ln -s /usr/bin/redkeep /usr/local/bin/redis-sentinel
  systemctl disable --now redis-sentinel && systemctl enable --now redkeep-sentinel`,
		DisableFlagParsing: true,
		Args:               cobra.ArbitraryArgs,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return withCode(exitUsage, errors.New("start a Sentinel: it needs its configuration; run: redkeep sentinel FILE"))
		}
		if args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
			return cmd.Help()
		}
		if c := sentinelMain(cmd.Context(), redisSentinel, args, s, w); c != exitDone {
			return withCode(c, errors.New("")) // its log has it
		}
		return nil
	}
	return cmd
}
