package clock

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Pacer waits for instants, to some 50 microseconds. The Go runtime's own timers are late by up to a millisecond, since
// it waits for them in whole ones; a timer of the kernel wakes it like a packet does.
type Pacer struct {
	file *os.File
}

// NewPacer returns a Pacer. Its Close must be called.
func NewPacer() (*Pacer, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make timer: %w", os.NewSyscallError("timerfd_create", err))
	}
	// The descriptor does not block, so the runtime waits for it in its poller and no thread is held.
	return &Pacer{file: os.NewFile(uintptr(fd), "timer")}, nil
}

// Wait returns at the instant, at once if it is past, or with an error when Close is called. Only one goroutine may wait.
func (p *Pacer) Wait(due Instant) error {
	if Now() >= due {
		return nil
	}
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(due))}
	raw, err := p.file.SyscallConn()
	if err != nil {
		return fmt.Errorf("set timer: %w", err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = unix.TimerfdSettime(int(fd), unix.TFD_TIMER_ABSTIME, &at, nil) }); err != nil {
		return fmt.Errorf("set timer: %w", err)
	}
	if failed != nil {
		return fmt.Errorf("set timer: %w", os.NewSyscallError("timerfd_settime", failed))
	}
	var expirations [8]byte
	if _, err := p.file.Read(expirations[:]); err != nil {
		return fmt.Errorf("wait for timer: %w", err)
	}
	return nil
}

// Close ends a Wait, from any goroutine. It may be called again.
func (p *Pacer) Close() { p.file.Close() }
