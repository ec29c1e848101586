package gate

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// Exempt returns a control function, for a net.Dialer, that marks a socket as the agent's own, so that its connection
// passes a shut gate. Only connections that begin on the gate's own host pass by it. It needs CAP_NET_ADMIN.
func Exempt(mark uint32) func(network, address string, raw syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		var cause error
		err := raw.Control(func(fd uintptr) {
			cause = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, int(mark))
		})
		if err = errors.Join(err, cause); err != nil {
			return fmt.Errorf("mark socket: %w", err)
		}
		return nil
	}
}
