package namespace

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// mark is set in the environment of the process that Enter starts, which then must not start a third.
const mark = "REDKEEP_STAGE_ENTERED"

// Enter brings the program to a place where it may make network namespaces. It must be called by main before anything
// else, with the arguments that the program was called with (os.Args[1:]).
//
// Where this process may make them already (root), or is the one that Enter started, inside is true and the caller goes
// on. Otherwise Enter has run the program again, as root of a user and network namespace of its own, and waited for its
// end: the caller exits with code. An error (a *Forbidden, mostly) says that neither is possible here.
//
// Of a mount or PID namespace there would be no use: the stage mounts nothing, and its programs end with their parent by
// signal, while a PID namespace would need a /proc of its own, which many containers refuse.
func Enter(args []string) (inside bool, code int, err error) {
	_, entered = os.LookupEnv(mark)
	os.Unsetenv(mark) // programs started from here are no part of this
	refusal := Probe()
	if refusal == nil || entered {
		return refusal == nil, 0, Explain(refusal)
	}
	if !errors.Is(refusal, unix.EPERM) {
		return false, 0, Explain(refusal)
	}
	code, err = again(args)
	return false, code, Explain(err)
}

// entered says that this process was started by Enter; it is set once, by Enter, before anything else runs.
var entered bool

// Entered reports whether this process is in a user namespace that Enter made, which others have to enter first.
func Entered() bool { return entered }

// Probe makes a network namespace and gives it back. It returns what the kernel said.
func Probe() error {
	t, err := Open()
	if err != nil {
		return err
	}
	t.Close()
	return nil
}

// again runs this program in a new user namespace until it ends, and returns its exit code.
func again(args []string) (int, error) {
	// The parent-death signal below counts the death of this thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), mark+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   unix.SIGKILL,
		// In a group of its own a Ctrl-C reaches it once, from follow, whether a terminal or a program sent it.
		Setpgid: true,
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start in a user namespace: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with the program
	return follow(cmd, signals, ended)
}

// follow hands signals on and waits: this process outlives them, to return the other's exit code.
func follow(cmd *exec.Cmd, signals <-chan os.Signal, ended <-chan error) (int, error) {
	for {
		select {
		case s := <-signals:
			cmd.Process.Signal(s) // fails only when it has ended, which the other case reports
		case err := <-ended:
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				return 0, fmt.Errorf("wait for the program in its user namespace: %w", err)
			}
			return exitCode(cmd.ProcessState), nil
		}
	}
}

// exitCode is the shell's: 128 and the signal's number for a program that a signal ended.
func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
