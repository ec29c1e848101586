package main

import (
	"os"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"redkeep/internal/speak/logline"
)

// tellSystemd tells systemd of a state, where it has asked to be told. There is nothing to be done about one that doesn't listen.
func tellSystemd(state string) { _, _ = daemon.SdNotify(false, state) }

// supervisor is who waits for a Sentinel to be ready.
type supervisor uint8

// The supervisors.
const (
	unsupervised supervisor = iota
	systemd
	upstart
)

// findSupervisor finds out who it is, and says that a start is under way. One that the directive supervised names and that isn't there
// is none; then the directive daemonize counts.
func (s *sentinelStart) findSupervisor() supervisor {
	_, job := os.LookupEnv("UPSTART_JOB")
	mode := s.conf.Supervised
	if mode == "auto" {
		mode = "no"
		if job {
			mode = "upstart"
		} else if _, socket := os.LookupEnv("NOTIFY_SOCKET"); socket {
			mode = "systemd"
		}
	}
	switch mode {
	case "systemd":
		s.log.Write(logline.Notice, "Supervised by systemd. Please make sure you set appropriate values for TimeoutStartSec and TimeoutStopSec in your service unit.")
		if sent, err := daemon.SdNotify(false, "STATUS=Redkeep is loading..."); err != nil || !sent {
			s.log.Write(logline.Warning, "systemd supervision requested, but NOTIFY_SOCKET does not lead to it; start it from a unit with Type=notify, or set supervised no")
			return unsupervised
		}
		return systemd
	case "upstart":
		if !job {
			s.log.Write(logline.Warning, "upstart supervision requested, but UPSTART_JOB not found!")
			return unsupervised
		}
		s.log.Write(logline.Notice, "supervised by upstart, will stop to signal readiness")
		s.log.Flush(lastWords)
		_ = unix.Kill(os.Getpid(), unix.SIGSTOP)
		_ = os.Unsetenv("UPSTART_JOB")
		return upstart
	}
	return unsupervised
}

// ready and stopping tell the one that listens how far this process is.
func (s supervisor) ready() {
	if s == systemd {
		tellSystemd("STATUS=Ready to accept connections\n" + daemon.SdNotifyReady)
	}
}

func (s supervisor) stopping() {
	if s == systemd {
		tellSystemd(daemon.SdNotifyStopping)
	}
}
