package sockets

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls of the hot path don't block, so they are made without telling Go's scheduler: it would expect each of them to
// block, and pay for that before and after.

// receive reads what is there. It returns 0 and no error at the peer's end.
func receive(fd int32, b []byte) (int, unix.Errno) {
	for {
		n, _, err := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
		if err == 0 {
			return int(n), 0
		}
		if err != unix.EINTR {
			return 0, err
		}
	}
}

// send writes as much as the kernel takes.
func send(fd int32, b []byte) (int, unix.Errno) {
	for {
		n, _, err := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_NOSIGNAL, 0, 0)
		if err == 0 {
			return int(n), 0
		}
		if err != unix.EINTR {
			return 0, err
		}
	}
}

// accept takes one connection off a listener's queue.
func accept(fd int32, from *unix.RawSockaddrAny) (int32, unix.Errno) {
	for {
		size := uint32(unsafe.Sizeof(*from))
		n, _, err := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(from)), uintptr(unsafe.Pointer(&size)),
			unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		if err == 0 {
			return int32(n), 0
		}
		if err != unix.EINTR {
			return -1, err
		}
	}
}

// increment wakes whoever waits for an eventfd.
func increment(fd int) {
	one := uint64(1)
	_, _, _ = unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&one)), 8)
}

// timespec is the kernel's with 64 bits, on every machine.
type timespec struct{ sec, nsec int64 }

// poller is an epoll descriptor and the room for what it tells.
type poller struct {
	fd     int
	events [256]unix.EpollEvent
	// coarse is set where the kernel counts waits in milliseconds only (before 5.11, or where a container's filter says so).
	coarse bool
}

// control adds, changes or removes what is told of a descriptor. tag comes back with each event of it.
func (p *poller) control(op int, fd int32, events, tag uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: fd, Pad: int32(tag)}
	_, _, err := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(p.fd), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(&ev)), 0, 0)
	if err != 0 {
		return err
	}
	return nil
}

// look returns how many events there are already.
func (p *poller) look() int {
	n, _, err := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), 0, 0, 0)
	if err != 0 {
		return 0
	}
	return int(n)
}

// nap is wait, without telling Go's scheduler. It is for short times, which the kernel must have: it becomes coarse, and has not waited,
// where that has none.
func (p *poller) nap(d time.Duration) int {
	ts := timespec{int64(d / time.Second), int64(d % time.Second)}
	n, _, err := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)),
		uintptr(unsafe.Pointer(&ts)), 0, 0)
	if err == unix.ENOSYS || err == unix.EPERM {
		p.coarse = true
	}
	if err != 0 {
		return 0
	}
	return int(n)
}

// forever is a wait without an end.
const forever time.Duration = -1

// wait returns how many events there are, at the latest after d; none when a signal interrupts it.
func (p *poller) wait(d time.Duration) (int, error) {
	var n uintptr
	var err unix.Errno
	if d == forever || p.coarse {
		ms := -1
		if d != forever {
			ms = int(min((d+time.Millisecond-1)/time.Millisecond, 1<<30))
		}
		n, _, err = unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), uintptr(ms), 0, 0)
	} else {
		ts := timespec{int64(d / time.Second), int64(d % time.Second)}
		n, _, err = unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)),
			uintptr(unsafe.Pointer(&ts)), 0, 0)
		if err == unix.ENOSYS || err == unix.EPERM {
			p.coarse = true
			return p.wait(d)
		}
	}
	if err == unix.EINTR {
		return 0, nil
	}
	if err != 0 {
		return 0, err
	}
	return int(n), nil
}
