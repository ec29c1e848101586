package keepalived

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/act/lockfile"
)

const (
	// mostProcesses is how many of one network namespace can be asked.
	mostProcesses = 16
	// answering bounds one question, for both sides, and mostStatus the answer, which is far less for the addresses of a host.
	answering, mostStatus = 2 * time.Second, 1 << 20
)

// ErrNotRunning is that of a host, or a network namespace, where nobody can be asked: none runs, or one that could make no socket.
var ErrNotRunning = errors.New("no redkeep keepalived runs here that can be asked")

// front is where a process is asked: whoever connects to the socket is told the status, and nothing is read from him. Its name is that of a claim, so that a file
// that is there already is a dead process's.
type front struct {
	claim  *claim
	listen *net.UnixListener
}

// placeOf is a place for a process among those of a network namespace.
func placeOf(n int) string { return "process-" + strconv.Itoa(n) }

// openFront makes the socket at the first free place. Routers are not kept from running where it can't be made, which
// the log then has, of newClaims where no place was for any file.
func (p *process) openFront() {
	if p.claimDir == "" {
		return
	}
	err := error(nil)
	for n := range mostProcesses {
		var place *claim
		if place, err = takeClaim(p.claimDir, placeOf(n), "a place for the status"); errors.As(err, new(*claimedError)) {
			continue
		}
		if err != nil {
			break
		}
		path := filepath.Join(p.claimDir, placeOf(n)+".sock")
		_ = os.Remove(path) // What a dead process has left. A living one has the claim.
		var l *net.UnixListener
		if l, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"}); err == nil {
			if err = os.Chmod(path, 0o600); err == nil {
				p.front = &front{place, l}
				p.work.Go(func() error { p.answer(l); return nil })
				return
			}
			_ = l.Close()
		}
		place.release()
		break
	}
	p.log.Warn("redkeep keepalived --status can't ask this process", "err", err)
}

// close gives the socket and its place back.
func (f *front) close() {
	_ = f.listen.Close()
	f.claim.release()
}

// answer tells everybody who connects, one after another, until the process ends.
func (p *process) answer(l *net.UnixListener) {
	stop := context.AfterFunc(p.ctx, func() { _ = l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if err == nil {
			p.tell(conn)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		select { // Too many files are open, perhaps.
		case <-time.After(answering):
		case <-p.ctx.Done():
		}
	}
}

// tell writes the status to one of them, who has as much time as the loop to answer.
func (p *process) tell(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(answering))
	asked := make(chan Status, 1)
	p.post(func() { asked <- p.status() })
	select {
	case s := <-asked:
		s.lookUp()
		_ = json.NewEncoder(conn).Encode(s) // Whoever does not wait for it goes without.
	case <-time.After(answering):
	case <-p.ended:
	}
}

// Ask asks every process of this network namespace, in the order of their places. With none the error is ErrNotRunning; one that does not answer in
// time is an error beside the others' answers.
func Ask(ctx context.Context, runDir string) ([]Status, error) {
	dir, err := claimsIn(runDir)
	if err != nil {
		return nil, err
	}
	return askIn(ctx, dir)
}

// askIn asks those of a directory.
func askIn(ctx context.Context, dir string) (all []Status, err error) {
	for n := range mostProcesses {
		s, failed := askOne(ctx, filepath.Join(dir, placeOf(n)+".sock"))
		switch {
		case failed == nil:
			all = append(all, s)
		case errors.Is(failed, fs.ErrNotExist), errors.Is(failed, unix.ECONNREFUSED):
		case errors.Is(failed, fs.ErrPermission):
			return all, fmt.Errorf("ask redkeep keepalived: %w; run this as root", failed)
		default:
			err = errors.Join(err, failed)
		}
	}
	if len(all) == 0 && err == nil {
		err = ErrNotRunning
	}
	return all, err
}

// askOne reads the status that a socket tells.
func askOne(ctx context.Context, path string) (s Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, answering)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return s, err
	}
	defer func() { _ = conn.Close() }()
	end, _ := ctx.Deadline()
	_ = conn.SetDeadline(end)
	text, err := io.ReadAll(io.LimitReader(conn, mostStatus))
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, fmt.Errorf("ask process %s: %w; it may be stopped, or ending", lockfile.HolderOf(strings.TrimSuffix(path, ".sock")+".lock"), err)
	}
	return s, nil
}
