package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"redkeep/internal/agent/keepalived"
	"redkeep/internal/speak/keepalivedconf"
)

// serve runs the virtual routers of a file, until it is told to end. SIGHUP has the file read again; one that is wrong is left where it
// is, and everything goes on as before.
func (k keepalivedCheck) serve(ctx context.Context, s streams) error {
	if len(k.files) != 1 {
		return withCode(exitUsage, errors.New("run keepalived: one file at a time; name one -f"))
	}
	c, err := k.load(s)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{ReplaceAttr: microseconds}))
	ctx, stop := signal.NotifyContext(ctx, unix.SIGTERM, unix.SIGINT)
	defer stop()
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, unix.SIGHUP)
	defer signal.Stop(hangups)
	// With these keepalived writes files; by default they would end this program, and what is ignored is ignored by scripts too.
	signal.Notify(make(chan os.Signal, 1), unix.SIGUSR1, unix.SIGUSR2)
	reload := make(chan *keepalivedconf.Config)
	go func() { // ends with ctx
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
			}
			c, err := k.load(s)
			if err != nil {
				log.Error("reload: the configuration before stays", "err", err)
				continue
			}
			select {
			case reload <- c:
			case <-ctx.Done():
			}
		}
	}()
	if err := pidFile(k.pid).claim(); err != nil {
		return err
	}
	defer pidFile(k.pid).remove()
	return keepalived.Run(ctx, keepalived.Options{
		Config: c, Log: log, Reload: reload, RunDir: keepalivedRunDir, Version: readBuild().Version,
		Ready: func() { tellSystemd(daemon.SdNotifyReady) },
	})
}

// keepalivedRunDir is where the processes of a host find each other.
const keepalivedRunDir = "/run/redkeep/keepalived"

// claim writes the file, unless another process of this program has its number there and lives, and goes on to: the number is what that one is
// stopped by.
func (f pidFile) claim() error {
	const looks, every = 50, 10 * time.Millisecond // for one that was just killed
	for i := 0; f.holder() != 0 && i < looks; i++ {
		time.Sleep(every)
	}
	if other := f.holder(); other != 0 {
		return fmt.Errorf("write the pid file: %s is process %d's, which runs; stop one of the two, or give each a file of its own with -p", f, other)
	}
	return f.write()
}

// holder is the living process of this program, other than this one, whose number is in the file; 0 for none.
func (f pidFile) holder() int {
	if f == "" {
		return 0
	}
	text, err := os.ReadFile(string(f))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 0 || pid == os.Getpid() {
		return 0
	}
	program := func(process string) string {
		name, _ := os.Readlink("/proc/" + process + "/exe") // "" where it is gone, or nobody's to see
		return strings.TrimSuffix(name, " (deleted)")       // by an upgrade
	}
	if running := program(strconv.Itoa(pid)); running == "" || running != program("self") {
		return 0
	}
	return pid
}

// load reads and checks the one file; warnings are printed.
func (k keepalivedCheck) load(s streams) (*keepalivedconf.Config, error) {
	text, _, err := readUpTo(k.files[0], keepalivedconf.MaxFile)
	if err != nil {
		return nil, withCode(exitUsage, fmt.Errorf("read the configuration: %w; name it with -f FILE", err))
	}
	configs, problems := k.look([][]byte{text})
	if wrong := keepalivedconf.Serious(problems); len(wrong) > 0 {
		return nil, k.complaint(s, wrong, problems)
	}
	if err := warnKeepalived(s.err, problems); err != nil {
		return nil, err
	}
	if len(configs[0].Instances) == 0 {
		return nil, withCode(exitFailed, fmt.Errorf("%s: there is no vrrp_instance in it; add one", k.files[0]))
	}
	return configs[0], nil
}
