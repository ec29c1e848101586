package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// alarm wakes the loop. The runtime's own timers wait in whole milliseconds, wake twice for one expiry, and once more for each
// that was put off: with ten beats a second, each put off when it was granted, that was half of an idle agent's wake-ups.
// A timer of the kernel's is exact, and quiet when it is put off.
type alarm struct {
	file *os.File
	conn syscall.RawConn
	// rings has an element when the instant has come.
	rings chan struct{}
}

func newAlarm() (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("make the loop's timer: %w", err)
	}
	a := &alarm{file: os.NewFile(uintptr(fd), "alarm"), rings: make(chan struct{}, 1)}
	if a.conn, err = a.file.SyscallConn(); err != nil {
		return nil, errors.Join(fmt.Errorf("make the loop's timer: %w", err), a.file.Close())
	}
	return a, nil
}

// set has the alarm ring once, after d, and not at what was set before. When run's context has ended the alarm is closed, in the
// middle of a turn perhaps: that is no failure, and whoever waits for the alarm waits for that context too.
func (a *alarm) set(ctx context.Context, d time.Duration) error {
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(max(d, 1)))}
	var failed error
	err := a.conn.Control(func(fd uintptr) { failed = unix.TimerfdSettime(int(fd), 0, &at, nil) })
	if err = errors.Join(err, failed); err != nil && ctx.Err() == nil {
		return fmt.Errorf("set the loop's timer: %w", err)
	}
	return nil
}

// run rings until the context ends, and closes the alarm then.
func (a *alarm) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = a.file.Close() })
	defer stop()
	var count [8]byte
	for {
		if _, err := a.file.Read(count[:]); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("wait for the loop's timer: %w", err)
		}
		select {
		case a.rings <- struct{}{}:
		default:
		}
	}
}
