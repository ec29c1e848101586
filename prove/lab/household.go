package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"redkeep/internal/stage"
)

// household is what a host of the documentation's tests has beside its network: an /etc, a /var and a /run of its own, so
// that every command can be typed as the page has it. Its programs see them in a mount namespace; the machine's are
// never touched.
type household struct {
	host *stage.Host
	root string
	path string // PATH
	runs int
}

// enter is the script with which each program of a household begins.
const enter = `for d in etc var run; do mount --bind "$HOUSE/$d" "/$d"; done; exec "$@"`

// distribution is what Debian's redis.conf says that matters here, but for the pause before a full copy: the lab's tests
// have no five seconds for it.
const distribution = `bind 127.0.0.1 -::1
protected-mode yes
port 6379
daemonize yes
pidfile /run/redis/redis-server.pid
logfile /var/log/redis/redis-server.log
dbfilename dump.rdb
dir /var/lib/redis
repl-diskless-sync yes
repl-diskless-sync-delay 0
appendonly no
`

// keepHouse furnishes a host as the packages of the server and of Redkeep do.
func keepHouse(h *stage.Host, programs string) (*household, error) {
	e := &household{host: h, root: filepath.Join(h.Dir(), "house"), path: programs + ":" + os.Getenv("PATH")}
	for _, dir := range []string{"etc/redis", "etc/redkeep", "var/lib/redis", "var/log/redis", "run/redis", "var/tmp"} {
		if err := os.MkdirAll(filepath.Join(e.root, dir), 0o755); err != nil {
			return nil, fmt.Errorf("furnish %s: %w", h.Name(), err)
		}
	}
	for _, file := range []string{"passwd", "group", "nsswitch.conf", "ld.so.cache", "ld.so.conf", "ssl/openssl.cnf"} {
		text, err := os.ReadFile(filepath.Join("/etc", file))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = e.write("/etc/"+file, string(text), 0o644)
		}
		if err != nil {
			return nil, fmt.Errorf("furnish %s: %w", h.Name(), err)
		}
	}
	if err := e.addUser("redkeep"); err != nil {
		return nil, fmt.Errorf("furnish %s: %w", h.Name(), err)
	}
	return e, e.write("/etc/redis/redis.conf", distribution, 0o640)
}

// userNumber is of nobody on this machine: the number that a package's user gets on a host.
const userNumber = 64999

// addUser makes a user and its group, as a package does.
func (e *household) addUser(name string) error {
	for file, line := range map[string]string{
		"etc/passwd": fmt.Sprintf("%s:x:%d:%d::/var/lib/%[1]s:/usr/sbin/nologin\n", name, userNumber, userNumber),
		"etc/group":  fmt.Sprintf("%s:x:%d:\n", name, userNumber),
	} {
		f, err := os.OpenFile(e.at(file), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			return err
		}
		_, err = f.WriteString(line)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// at is where a path of the host is on this machine.
func (e *household) at(path string) string { return filepath.Join(e.root, path) }

// write makes a file of the host.
func (e *household) write(path, text string, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(e.at(path)), 0o755); err != nil {
		return err
	}
	return os.WriteFile(e.at(path), []byte(text), mode)
}

// start starts a program in the household. It becomes that program itself: signals reach it.
func (e *household) start(name string, output *printed, argv ...string) (*stage.Process, error) {
	args := append([]string{"--mount", "--propagation", "private", "/bin/sh", "-ec", enter, "enter"}, argv...)
	c := stage.Command{Name: name, Path: "unshare", Args: args, Env: []string{"HOUSE=" + e.root, "PATH=" + e.path}}
	if output != nil {
		c.Output = output
	}
	return e.host.Start(c)
}

// typed runs a command line to its end and returns what it printed and its exit code.
func (e *household) typed(ctx context.Context, line string) (lines []string, code int, err error) {
	e.runs++
	var out printed
	p, err := e.start(fmt.Sprintf("typed-%d", e.runs), &out, "/bin/sh", "-c", line)
	if err != nil {
		return nil, 0, err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		_, err := p.Kill()
		return out.lines(), 0, errors.Join(fmt.Errorf("%s: %w", line, ctx.Err()), err)
	}
	_, err = p.End()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out.lines(), exit.ExitCode(), nil
	}
	return out.lines(), 0, err
}

// printed collects what a program prints.
type printed struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps the text.
func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *printed) lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := strings.TrimRight(p.text.String(), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// typedLimit bounds one command line of a page.
const typedLimit = 20 * time.Second
