package namespace

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Dial connects from inside the namespace. The address must be numeric. Unlike Do it does not hold the namespace's own
// thread while it waits for an answer, so that one dead address does not hold up the others.
func (t *Thread) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	visitErr := t.visit(func() {
		// A numeric address has one candidate, which the dialer tries on the calling goroutine: on this thread.
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
	})
	if visitErr != nil {
		return nil, visitErr
	}
	return conn, err
}

// Listen opens a TCP listener inside the namespace. The address must be numeric.
func (t *Thread) Listen(ctx context.Context, address string) (listener net.Listener, err error) {
	visitErr := t.visit(func() { listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address) })
	if visitErr != nil {
		return nil, visitErr
	}
	return listener, err
}

// visit takes the caller's thread into the namespace and back.
func (t *Thread) visit(f func()) error {
	runtime.LockOSThread()
	home, err := os.Open(self)
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("open own network namespace: %w", err)
	}
	defer home.Close()
	if err := t.moveHere(); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter network namespace: %w", err)
	}
	f()
	if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
		// The thread stays locked: nobody else may inherit a thread that is in the wrong namespace.
		return fmt.Errorf("leave network namespace: %w", os.NewSyscallError("setns", err))
	}
	runtime.UnlockOSThread()
	return nil
}

// moveHere puts the calling thread into the namespace, which Close can't take away meanwhile.
func (t *Thread) moveHere() error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	select {
	case <-t.stop:
		return ErrClosed
	default:
		return os.NewSyscallError("setns", unix.Setns(t.FD(), unix.CLONE_NEWNET))
	}
}
