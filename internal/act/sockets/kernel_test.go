package sockets

import (
	"context"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"redkeep/internal/words"
)

// forbid has the kernel answer one system call of this thread as it would if it had none of that number.
func forbid(call uint32) error {
	const numberAt, sayNo = 0, unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: numberAt},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: sayNo},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}

// TestOldKernelSleeps: before 5.11, and in containers whose filter is older than that, there is no epoll_pwait2. A loop whose timers are
// near sleeps there too, from the first one on.
func TestOldKernelSleeps(t *testing.T) {
	const wakes, near = 10, 4 * time.Millisecond
	var l *Loop
	var turns, woken int
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	l, err := New(Config{
		Now: clock, Turn: func() { turns++ },
		Woken: func(now words.Instant) {
			if woken++; woken == wakes {
				cancel()
			}
			l.news = now // a loop that has been told nothing for long sleeps otherwise
			l.SetWake(now.Add(near))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	l.alone = false // as on a machine with more processors
	l.Post(func() { l.news = l.Now(); l.SetWake(l.Now().Add(near)) })
	ended := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread, which is not what it was, ends with the goroutine
		if err := forbid(unix.SYS_EPOLL_PWAIT2); err != nil {
			cancel()
			_ = l.Run(ctx) // gives back what it has
			ended <- err
			return
		}
		ended <- l.Run(ctx)
	}()
	if err := within(t, ended, "the end"); err != nil {
		t.Fatal(err)
	}
	if woken != wakes || turns > 5*wakes {
		t.Errorf("%d turns for %d of %d timers", turns, woken, wakes)
	}
	if !l.poll.coarse {
		t.Error("the kernel has what was forbidden")
	}
}
