package script

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// closeOnExec marks this process's descriptors from one on to be closed in what it executes.
func closeOnExec(from int) error {
	err := unix.CloseRange(uint(from), math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	// The call is of Linux 5.9 and its flag of 5.11; a container's filter may not know it either.
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EPERM) {
		return closeEachOnExec(from)
	}
	return err
}

// closeEachOnExec is closeOnExec for kernels that can't do it at once.
func closeEachOnExec(from int) error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("list descriptors: %w", err)
	}
	for _, e := range open {
		// The descriptor of the list itself is closed by now, and others may be.
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= from {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}
