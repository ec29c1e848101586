package script

import (
	"fmt"
	"strings"
)

// Action is one thing to do: Start, Kill or Tell. They are to be done in the order in which they are returned.
type Action interface {
	fmt.Stringer
	action()
}

// Start asks for a process: Argv[0] is the path, executed without a shell. Started, Unstarted or Exited answers.
type Start struct {
	ID   ID
	Argv []string
}

// Kill asks for SIGKILL to a job's process. Exited answers, whenever the process has gone.
type Kill struct{ ID ID }

// Tell is an event of the Sentinel's that belongs to no instance. It never has a script run.
type Tell struct {
	Channel, Payload string
	// Debug events are logged and not published; the others are warnings.
	Debug bool
}

func (Start) action() {}
func (Kill) action()  {}
func (Tell) action()  {}

func (a Start) String() string { return fmt.Sprintf("start %d: %s", a.ID, strings.Join(a.Argv, " ")) }
func (a Kill) String() string  { return fmt.Sprintf("kill %d", a.ID) }
func (a Tell) String() string  { return a.Channel + " " + a.Payload }

const (
	// NotExecuted is the exit code that stands for a file that the kernel does not execute.
	NotExecuted = 2
	// noProcess is the signal that stands for a host without room for another process.
	noProcess = 99
)

// began and ended have the two codes the other way round than failed has them; so does Redis.
func began(pid int) Tell { return Tell{"+script-child", fmt.Sprint(pid), true} }

func ended(pid, signal, code int) Tell {
	return Tell{"-script-child", fmt.Sprintf("%d %d %d", pid, code, signal), true}
}

func failed(j *job, signal, code int) Tell {
	return Tell{"-script-error", fmt.Sprintf("%s %d %d", j.argv[0], signal, code), false}
}

func timedOut(j *job) Tell {
	return Tell{"-script-timeout", fmt.Sprintf("%s %d", j.argv[0], j.pid), false}
}
