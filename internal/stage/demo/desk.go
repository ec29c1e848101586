package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// guests is how many commands are taken at the same time; who comes then waits in the kernel's queue.
	guests = 4
	// patience bounds a guest's stay: a server that starts takes 10 s at the most.
	patience = 15 * time.Second
	// requestLimit and replyLimit bound what is read, in bytes.
	requestLimit, replyLimit = 512, 16 << 10
)

// Code says whose fault it is that a command was not carried out.
type Code string

// The codes.
const (
	// Failed is the demo's: something went wrong.
	Failed Code = "failed"
	// Misused is the user's: there is no such host or command.
	Misused Code = "misused"
	// Refused is nobody's: it makes no sense now.
	Refused Code = "refused"
)

// Denial is the error of a command that was not carried out.
type Denial struct {
	Code Code
	Text string
}

// Error says why.
func (d *Denial) Error() string { return d.Text }

// ErrNone says that no demo waits for commands.
var ErrNone = errors.New("no demo of this user waits for commands; start one in another terminal: redkeep demo --keep")

// request is a command as it comes in, and reply what is said to it.
type request struct {
	Word string `json:"word"`
	Host string `json:"host"`
}

type reply struct {
	Code  Code   `json:"code,omitempty"` // empty for what was done
	Text  string `json:"text,omitempty"`
	Place *Place `json:"place,omitempty"`
}

// failed is the reply to an error.
func failed(err error) reply {
	if r := (*refusal)(nil); errors.As(err, &r) {
		return reply{Code: Refused, Text: err.Error()}
	}
	return reply{Code: Failed, Text: err.Error()}
}

// order is a request on its way to who carries it out, who must answer.
type order struct {
	request
	answer chan<- reply
}

// desk takes commands of this user's other programs. Without a socket nobody comes.
type desk struct {
	orders   chan order
	listener net.Listener
	made     string      // the socket's directory, if it was made for it
	ready    atomic.Bool // there is somebody to carry them out
	end      chan struct{}
	tasks    sync.WaitGroup
}

// openDesk listens, if the demo is one that stays.
func openDesk(o Options) (*desk, error) {
	d := &desk{orders: make(chan order), end: make(chan struct{})}
	if !o.Keep {
		return d, nil
	}
	made, err := makePrivate(filepath.Dir(o.Socket))
	if err != nil {
		return nil, fmt.Errorf("take commands: %w", err)
	}
	if made {
		d.made = filepath.Dir(o.Socket)
	}
	if conn, err := net.DialTimeout("unix", o.Socket, time.Second); err == nil {
		_ = conn.Close()
		return nil, fmt.Errorf("take commands: another demo does at %s; end it with Ctrl-C, or give this one another socket: REDKEEP_DEMO_SOCKET=PATH", o.Socket)
	}
	// One that nobody listens at was left by a demo that got no chance to clean up.
	if err := os.Remove(o.Socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("take commands: %w", err)
	}
	if d.listener, err = net.Listen("unix", o.Socket); err != nil {
		return nil, fmt.Errorf("take commands: %w", err)
	}
	for range guests {
		d.tasks.Go(d.receive) // ends with the listener
	}
	return d, nil
}

// makePrivate makes a directory that nobody else can enter, or makes sure that one is. It is not followed elsewhere.
func makePrivate(dir string) (made bool, err error) {
	if err := os.Mkdir(dir, 0o700); err == nil || !errors.Is(err, os.ErrExist) {
		return err == nil, err
	}
	var stat unix.Stat_t
	if err := unix.Lstat(dir, &stat); err != nil {
		return false, fmt.Errorf("look at %s: %w", dir, err)
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR || int(stat.Uid) != os.Getuid() || stat.Mode&0o077 != 0 {
		return false, fmt.Errorf("%s is not a directory that only you can enter; name another place: REDKEEP_DEMO_SOCKET=PATH", dir)
	}
	return false, nil
}

// open says that commands are carried out from now on.
func (d *desk) open() { d.ready.Store(true) }

// close ends the desk, and what guests wait for.
func (d *desk) close() {
	close(d.end)
	if d.listener != nil {
		_ = d.listener.Close() // which also removes the socket
	}
	if d.made != "" {
		_ = os.Remove(d.made) // unless somebody else has put something there
	}
	d.tasks.Wait()
}

// receive serves one guest after another.
func (d *desk) receive() {
	for {
		conn, err := d.listener.Accept()
		if err != nil {
			return
		}
		d.attend(conn)
	}
}

// attend reads a command, has it carried out, and says what came of it.
func (d *desk) attend(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	if conn.SetDeadline(time.Now().Add(patience)) != nil {
		return
	}
	var r request
	if json.NewDecoder(io.LimitReader(conn, requestLimit)).Decode(&r) != nil {
		return // no client of ours
	}
	_ = json.NewEncoder(conn).Encode(d.pass(r)) // who does not wait for the answer does not get it
}

// pass hands a command on and waits for its answer.
func (d *desk) pass(r request) reply {
	if !d.ready.Load() {
		return reply{Code: Refused, Text: "the demo still tells its own story; wait until it says that the hosts are yours"}
	}
	answer := make(chan reply, 1)
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case d.orders <- order{request: r, answer: answer}:
	case <-d.end:
		return reply{Code: Failed, Text: "the demo has ended"}
	case <-limit.C:
		return reply{Code: Failed, Text: "the demo is busy with another command"}
	}
	select {
	case said := <-answer:
		return said
	case <-d.end:
		return reply{Code: Failed, Text: "the demo has ended"}
	}
}

// Ask gives a running demo a command for a host. What was not carried out is a *Denial, and ErrNone that no demo runs.
func Ask(ctx context.Context, socket, word, host string) (said string, at *Place, err error) {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", socket)
	if err != nil {
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ECONNREFUSED) {
			return "", nil, ErrNone
		}
		return "", nil, fmt.Errorf("reach the demo: %w", err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := conn.SetDeadline(time.Now().Add(patience + time.Second)); err != nil {
		return "", nil, fmt.Errorf("reach the demo: %w", err)
	}
	if err := json.NewEncoder(conn).Encode(request{Word: word, Host: host}); err != nil {
		return "", nil, fmt.Errorf("tell the demo: %w", err)
	}
	var r reply
	if err := json.NewDecoder(io.LimitReader(conn, replyLimit)).Decode(&r); err != nil {
		return "", nil, fmt.Errorf("hear from the demo: %w; look at its terminal", err)
	}
	if r.Code != "" {
		return "", nil, &Denial{Code: r.Code, Text: r.Text}
	}
	return r.Text, r.Place, nil
}
