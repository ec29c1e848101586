package process

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/decide"
)

// stat is the part of /proc/PID/stat that is looked at. Every user may read it of every process.
type stat struct {
	name    string
	state   byte
	flags   uint64
	cpu     time.Duration
	started time.Duration // since boot
	// resident is its memory in bytes.
	resident int64
}

// tick is the unit of times in /proc: USER_HZ is 100 on every architecture that Linux has kept.
const tick = time.Second / 100

// ending are the kernel's flags (linux/sched.h) of a process that executes nothing more: PF_EXITING, PF_POSTCOREDUMP
// (PF_EXITPIDONE before Linux 5.16) and PF_DUMPCORE. Its sockets stay open until its memory is freed, or dumped.
const ending = 0x4 | 0x8 | 0x200

func statPath(pid int) string { return "/proc/" + strconv.Itoa(pid) + "/stat" }

// readStat reads the file anew. Once its process has been reaped the error is ESRCH, even if the number is in use again.
func readStat(file *os.File) (stat, error) {
	// The line has 52 fields; a name is at most 15 bytes.
	var line [1024]byte
	n, err := readOnce(file, line[:])
	if err != nil {
		return stat{}, fmt.Errorf("read its state: %w", err)
	}
	return parseStat(string(line[:n]))
}

// readOnce reads a file of /proc that fits into the buffer with one call. os.File would ask once more for its end, for which
// the kernel writes the whole line again; an agent does this for as long as it lives.
func readOnce(file *os.File, into []byte) (n int, err error) {
	conn, err := file.SyscallConn()
	if err != nil {
		return 0, err
	}
	failed := conn.Control(func(fd uintptr) { n, err = unix.Pread(int(fd), into, 0) })
	return max(n, 0), errors.Join(failed, err)
}

// parseStat reads the line. The name stands in brackets and may hold brackets and spaces itself; the fields count from
// the last closing one.
func parseStat(line string) (stat, error) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return stat{}, fmt.Errorf("read its state: %.40q has no name", line)
	}
	// Field 3 of proc_pid_stat(5) is the first of the rest: state 3, flags 9, utime 14, stime 15, starttime 22, rss 24.
	rest := strings.Fields(line[end+1:])
	if len(rest) < 22 || len(rest[0]) != 1 {
		return stat{}, fmt.Errorf("read its state: %d fields", len(rest))
	}
	var numbers [5]uint64
	for i, field := range []int{9, 14, 15, 22, 24} {
		n, err := strconv.ParseUint(rest[field-3], 10, 64)
		if err != nil {
			return stat{}, fmt.Errorf("read its state: field %d: %w", field, err)
		}
		numbers[i] = n
	}
	return stat{
		name:    line[open+1 : end],
		state:   rest[0][0],
		flags:   numbers[0],
		cpu:     time.Duration(numbers[1]+numbers[2]) * tick,
		started: time.Duration(numbers[3]) * tick,

		resident: int64(numbers[4]) * int64(os.Getpagesize()),
	}, nil
}

// age returns how long ago the process started.
func (s stat) age() (time.Duration, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return 0, fmt.Errorf("read CLOCK_BOOTTIME: %w", err)
	}
	return time.Duration(now.Nano()) - s.started, nil
}

// classify names the state as decisions tell them apart. A process that waits for a disk (D) runs: it will go on by
// itself.
func (s stat) classify() decide.ProcessState {
	switch {
	case s.flags&ending != 0, s.state == 'Z', s.state == 'X', s.state == 'x':
		return decide.ProcessGone
	case s.state == 'T', s.state == 't':
		return decide.ProcessStopped
	default:
		return decide.ProcessRunning
	}
}

// isServer tells a server's name, as the kernel keeps it: the name that was executed, cut to 15 bytes.
func isServer(name string) bool {
	switch name {
	case "redis-server", "valkey-server", "keydb-server", "redis-sentinel", "redis-check-rdb", "valkey-check-rd":
		return true
	default:
		return false
	}
}
