package redis

import (
	"net/netip"
	"strings"
	"time"

	"redkeep/internal/decide"
)

// Process is the proven process of a server, as act/process has it.
type Process interface {
	// Exited is closed when the process ends.
	Exited() <-chan struct{}
	// Sample tells the process's state, the CPU time of all its threads, and its memory in bytes.
	Sample() (state decide.ProcessState, cpu time.Duration, resident int64)
	// Close ends the watch of the process.
	Close()
}

// Config says which server the hand is for, and whom it tells.
type Config struct {
	// Addr is where the server listens, on this host.
	Addr netip.AddrPort
	// Source is the address that connections come from; the kernel chooses when it is the zero Addr. It is used for a
	// server on the loopback only.
	Source netip.Addr
	// Mark is set on every socket (SO_MARK), so that the gate can tell them; 0 sets none.
	Mark uint32
	// TLS says how the server is reached over TLS; nil without it.
	TLS *TLS
	// TLSReplication says that the group's servers follow each other over TLS, as their own tls-replication has to.
	TLSReplication bool
	// User and Password authenticate the agent, and a replica at its master. An empty Password sends no AUTH, an empty
	// User the form of AUTH that every version knows.
	User, Password string
	// Rename gives the names that rename-command gave to commands: CONFIG -> X. An empty name says that the command was
	// taken away. Keys are in upper case.
	Rename map[string]string
	// Poll is the pace of the watch; 100 ms when it is 0.
	Poll time.Duration
	// Prove opens the process that the server says it is; nil where no process can be watched.
	Prove func(pid int, uptime time.Duration) (Process, error)
	// Report takes the events Seen, Complained, Lost and Silent. It is called by one goroutine at a time.
	Report func(decide.Event)
	// Remark takes sentences about what the hand had to do without, each once. It may be called by several goroutines.
	Remark func(text string)
}

// The paces of the watch.
const (
	defaultPoll = 100 * time.Millisecond
	// loadingPoll is the pace while the server reads its data.
	loadingPoll = 20 * time.Millisecond
	// fullEvery is the pace of the longer look: process, loading, keys, file.
	fullEvery = time.Second
	// glanceEvery is the pace at which a large server's process is looked at. A killed process closes its connections only
	// when the kernel has freed its memory, which takes 57 ms for each GiB; its state tells the death at once. One below
	// glanceFrom is looked at with each batch.
	glanceEvery = 50 * time.Millisecond
	glanceFrom  = 256 << 20
	// A server that was lost is tried again often at first: one that is restarted at once is back within milliseconds.
	retrySoon, retryLater, soon = 5 * time.Millisecond, 50 * time.Millisecond, time.Second
)

func (c Config) withDefaults() Config {
	if c.Poll <= 0 {
		c.Poll = defaultPoll
	}
	if c.Report == nil {
		c.Report = func(decide.Event) {}
	}
	if c.Remark == nil {
		c.Remark = func(string) {}
	}
	return c
}

// command returns a command with the name that this server knows it by; nil when it was taken away.
func (c Config) command(args ...string) []string {
	name, renamed := c.Rename[strings.ToUpper(args[0])]
	if !renamed {
		return args
	}
	if name == "" {
		return nil
	}
	return append([]string{name}, args[1:]...)
}
