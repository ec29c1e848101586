package tap

import (
	"fmt"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/cable"
	"redkeep/internal/stage/clock"
)

// frameLimit is more than what a cable of the stage carries, without offloads.
const frameLimit = 2048

// Tap is a raw socket.
type Tap struct {
	file *os.File
	raw  interface {
		Read(func(uintptr) bool) error
	}
	buffer [frameLimit]byte
	more   [64]byte
}

// Open opens a tap in the network namespace of the calling thread.
func Open() (*Tap, error) {
	device, err := net.InterfaceByName(cable.Device)
	if err != nil {
		return nil, fmt.Errorf("open tap: find %s: %w", cable.Device, err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open tap: %w", os.NewSyscallError("socket", err))
	}
	t := &Tap{file: os.NewFile(uintptr(fd), "tap")}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		t.Close()
		return nil, fmt.Errorf("open tap: %w", os.NewSyscallError("setsockopt", err))
	}
	// Bound only now, so that no frame of another device or without an instant is ever queued.
	all := unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_ALL), Ifindex: device.Index}
	if err := unix.Bind(fd, &all); err != nil {
		t.Close()
		return nil, fmt.Errorf("open tap: %w", os.NewSyscallError("bind", err))
	}
	if t.raw, err = t.file.SyscallConn(); err != nil {
		t.Close()
		return nil, fmt.Errorf("open tap: %w", err)
	}
	return t, nil
}

// bigEndian is a number of 16 bits as the network has it.
func bigEndian(n uint16) uint16 {
	b := [2]byte{byte(n >> 8), byte(n)}
	return *(*uint16)(unsafe.Pointer(&b))
}

// Read waits for the next frame that came in, and returns it with the instant at which it did. The frame is valid until
// the next Read. The host's own frames are left out.
func (t *Tap) Read() ([]byte, clock.Instant, error) {
	for {
		n, control, kind, err := t.receive()
		if err != nil {
			return nil, 0, fmt.Errorf("read frame: %w", err)
		}
		if kind != unix.PACKET_OUTGOING {
			return t.buffer[:n], at(control), nil
		}
	}
}

func (t *Tap) receive() (n int, control []byte, kind uint8, err error) {
	waited := t.raw.Read(func(fd uintptr) bool {
		var more int
		var from unix.Sockaddr
		n, more, _, from, err = unix.Recvmsg(int(fd), t.buffer[:], t.more[:], 0)
		control = t.more[:max(more, 0)]
		if link, ok := from.(*unix.SockaddrLinklayer); ok {
			kind = link.Pkttype
		}
		return err != unix.EAGAIN && err != unix.EINTR
	})
	if waited != nil {
		err = waited
	}
	return n, control, kind, err
}

// at reads the instant that came with a frame; without one it is now.
func at(control []byte) clock.Instant {
	now := clock.Now()
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return now
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) >= int(unsafe.Sizeof(unix.Timespec{})) {
			stamp := *(*unix.Timespec)(unsafe.Pointer(&m.Data[0]))
			return now.Add(-max(time.Since(time.Unix(stamp.Unix())), 0))
		}
	}
	return now
}

// Write sends a frame.
func (t *Tap) Write(frame []byte) error {
	if _, err := t.file.Write(frame); err != nil {
		return fmt.Errorf("send frame: %w", err)
	}
	return nil
}

// Close ends the tap, and a Read that waits. It may be called again.
func (t *Tap) Close() { t.file.Close() }
