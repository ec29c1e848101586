package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/signal"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"redkeep/internal/agent"
)

// defaultStateDir is where an agent keeps what must survive a restart.
const defaultStateDir = "/var/lib/redkeep"

func newRun(s streams) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run this node's agent, in the foreground",
		Long: `Run this node's agent, in the foreground; logs go to standard error.

SIGTERM and SIGINT hand a master over and end within five seconds. SIGUSR2 is the restart:
everything is left as it is for the agent that starts next.`,
		Example: `  redkeep run -c /etc/redkeep/redkeep.yaml
  redkeep run -c redkeep.yaml --node h1 --state-dir ./state-h1`,
		Args: cobra.NoArgs,
	}
	f := addConfigFlags(cmd)
	cmd.Flags().StringVar(&dir, "state-dir", defaultStateDir, "keep what survives a restart in this `DIR`")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		slacken()
		c, err := f.load()
		if err != nil {
			return err
		}
		limitCores(c)
		stop, suspend, end := signals()
		defer end()
		log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{ReplaceAttr: microseconds}))
		links := network{log, stop, suspend, net.InterfaceAddrs}
		self, err := f.awaitSelf(cmd.Context(), c, links)
		if err != nil {
			return err
		}
		if err := awaitDevices(cmd.Context(), c, self.Name, links, past{sinceBoot(), hasRun(dir)}); err != nil {
			return err
		}
		return agent.Run(cmd.Context(), agent.Options{
			Config: c, Self: self, StateDir: dir, Version: readBuild().Version,
			Log:   log,
			Ready: func() { tellSystemd(daemon.SdNotifyReady) },
		}, stop, suspend)
	}
	return cmd
}

// microseconds prints a line's time finely enough for steps that are fractions of a millisecond apart.
func microseconds(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.String(slog.TimeKey, a.Value.Time().Format("2006-01-02T15:04:05.000000Z07:00"))
	}
	return a
}

// signals turns the signals that end an agent into channels: the first of each counts, the rest are ignored, since an end
// is under way and bounded.
func signals() (stop, suspend <-chan struct{}, end func()) {
	raw := make(chan os.Signal, 4)
	signal.Notify(raw, unix.SIGTERM, unix.SIGINT, unix.SIGUSR2)
	ctx, cancel := context.WithCancel(context.Background())
	stopping, suspending := make(chan struct{}), make(chan struct{})
	go func() { // ends with the command
		select {
		case sig := <-raw:
			if sig == unix.SIGUSR2 {
				close(suspending)
			} else {
				tellSystemd(daemon.SdNotifyStopping)
				close(stopping)
			}
		case <-ctx.Done():
		}
	}()
	return stopping, suspending, func() { signal.Stop(raw); cancel() }
}
