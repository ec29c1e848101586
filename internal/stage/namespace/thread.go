package namespace

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ErrClosed is returned by a Thread that was closed.
var ErrClosed = errors.New("network namespace is closed")

// self names the calling thread's network namespace.
const self = "/proc/thread-self/ns/net"

// Thread is an operating system thread that lives in a network namespace of its own. The namespace exists as long as
// the thread is open, or a program started in it runs. Programs that were started with a parent-death signal die with
// it, since the kernel counts the thread, not the process, as their parent.
type Thread struct {
	calls chan func()
	once  sync.Once // closes stop
	stop  chan struct{}
	done  chan struct{}
	mu    sync.RWMutex // held for reading while file's descriptor is used, for writing while it is closed
	file  *os.File
	inode uint64
	task  int
}

// Open makes a network namespace with its loopback up. The error wraps what the kernel said; Explain turns it into advice.
func Open() (*Thread, error) {
	t := &Thread{calls: make(chan func()), stop: make(chan struct{}), done: make(chan struct{})}
	made := make(chan error, 1)
	go t.run(made) // ends at Close, or at once when the namespace can't be made
	if err := <-made; err != nil {
		return nil, fmt.Errorf("make network namespace: %w", err)
	}
	return t, nil
}

// run never unlocks its thread: the runtime then destroys it instead of lending it, in the wrong namespace, to others.
func (t *Thread) run(made chan<- error) {
	runtime.LockOSThread()
	defer close(t.done)
	if err := t.enter(); err != nil {
		made <- err
		return
	}
	defer t.closeFile()
	made <- nil
	for {
		select {
		case call := <-t.calls:
			call()
		case <-t.stop:
			return
		}
	}
}

func (t *Thread) enter() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	file, err := os.Open(self)
	if err != nil {
		return err
	}
	var stat unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &stat); err != nil {
		file.Close()
		return os.NewSyscallError("fstat", err)
	}
	if err := raiseLoopback(); err != nil {
		file.Close()
		return err
	}
	t.file, t.inode, t.task = file, stat.Ino, unix.Gettid()
	return nil
}

func (t *Thread) closeFile() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.file.Close()
}

func raiseLoopback() error {
	nl, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open route socket: %w", err)
	}
	defer nl.Close()
	lo, err := nl.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	if err := nl.LinkSetUp(lo); err != nil {
		return fmt.Errorf("raise lo: %w", err)
	}
	return nil
}

// Do runs f on the thread, inside the namespace, and returns when f has. Calls are run one after another, so f must be
// short; sockets that f opens stay in the namespace and may be used from anywhere. It returns ErrClosed after Close.
func (t *Thread) Do(f func()) error {
	finished := make(chan struct{})
	call := func() { defer close(finished); f() }
	select {
	case t.calls <- call:
		<-finished
		return nil
	case <-t.done:
		return ErrClosed
	}
}

// FD returns a descriptor of the namespace, for those who move a device into it. It is valid until Close.
func (t *Thread) FD() int { return int(t.file.Fd()) }

// Inode returns the number by which /proc/PID/ns/net names the namespace.
func (t *Thread) Inode() uint64 { return t.inode }

// Path names the namespace for other processes of the same user, such as nsenter --net=PATH. It is valid until Close.
func (t *Thread) Path() string { return fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), t.task) }

// Close ends the thread. It may be called again, but not from within Do.
func (t *Thread) Close() {
	t.once.Do(func() { close(t.stop) })
	<-t.done
}
