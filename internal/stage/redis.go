package stage

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"redkeep/internal/speak/resp"
	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/wire"
)

// DefaultPort is the servers' port where nothing else is said.
const DefaultPort = 6379

const (
	// readyLimit bounds the wait for a server that starts, if the context has no earlier end.
	readyLimit = 10 * time.Second
	// readyPause is how often a starting server is asked.
	readyPause = 2 * time.Millisecond
	// askLimit bounds one question to a server on its own host.
	askLimit = time.Second
)

// RedisConfig are the choices for a server. The zero value is an empty master on 6379 that keeps nothing on disk.
type RedisConfig struct {
	// Port is where it listens; default 6379.
	Port uint16
	// AppendOnly keeps the data on disk, as appendonly yes with appendfsync everysec.
	AppendOnly bool
	// TLS is its port for TLS and what belongs to that; nil for none.
	TLS *RedisTLS
	// ReplicaOf is its master; the zero value for none.
	ReplicaOf netip.AddrPort
	// Extra are lines for the end of its configuration, which override the others.
	Extra []string
	// Program is the server's binary; default what FindRedis finds.
	Program string
}

// Redis is one server on a host. Its configuration file is written once: what CONFIG REWRITE changes there is kept by a
// restart. Its methods that start and end it must be called one after another.
type Redis struct {
	host    *Host
	config  RedisConfig
	program string
	name    string
	dir     string
	file    string

	mu      sync.Mutex // guards process
	process *Process
}

// FindRedis returns the path of a Redis or Valkey server: the environment's REDIS_SERVER, or the first in PATH of
// redis-server, valkey-server, and their -check-rdb. Those are the same binary, which serves when called by a server's name.
func FindRedis() (string, error) {
	if path := os.Getenv("REDIS_SERVER"); path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			return "", fmt.Errorf("find REDIS_SERVER: %w", err)
		}
		return found, nil
	}
	for _, name := range []string{"redis-server", "valkey-server", "redis-check-rdb", "valkey-check-rdb"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("find redis-server: neither it nor valkey-server is in PATH; " +
		"install it (Debian and Ubuntu: apt-get install redis-tools, which starts no service), or set REDIS_SERVER to its path")
}

// StartRedis writes a server's configuration, starts it on the host and waits until it answers. The error of a server
// that ends at once has the last lines that it printed.
func (h *Host) StartRedis(ctx context.Context, c RedisConfig) (*Redis, error) {
	r, err := h.AddRedis(c)
	if err != nil {
		return nil, err
	}
	return r, r.Start(ctx)
}

// AddRedis does what StartRedis does, but for the start.
func (h *Host) AddRedis(c RedisConfig) (*Redis, error) {
	if c.Port == 0 {
		c.Port = DefaultPort
	}
	program := c.Program
	if program == "" {
		var err error
		if program, err = FindRedis(); err != nil {
			return nil, err
		}
	}
	program, err := h.stage.asServer(program)
	if err != nil {
		return nil, fmt.Errorf("add redis to %s: %w", h.name, err)
	}
	r := &Redis{host: h, config: c, program: program}
	r.name = fmt.Sprintf("redis-%d", r.port())
	r.dir, r.file = filepath.Join(h.dir, r.name), filepath.Join(h.dir, r.name+".conf")
	if err := r.write(); err != nil {
		return nil, fmt.Errorf("add redis to %s: %w", h.name, err)
	}
	return r, nil
}

// asServer returns a path by which the binary of a checking tool serves: a link with a server's name.
func (s *Stage) asServer(program string) (string, error) {
	name, checks := strings.CutSuffix(filepath.Base(program), "-check-rdb")
	if !checks {
		return program, nil
	}
	link := filepath.Join(s.dir.path, name+"-server")
	if err := os.Symlink(program, link); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return link, nil
}

func (r *Redis) write() error {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(r.file, []byte(strings.Join(r.lines(), "\n")+"\n"), 0o600)
}

// lines is the configuration. Snapshots at intervals are off, so that a server restarted without its append-only file
// is an empty one; the pauses that Redis makes before it serves a new replica are too, as a test can't use them.
func (r *Redis) lines() []string {
	onOff := map[bool]string{true: "yes", false: "no"}
	lines := []string{
		fmt.Sprintf("port %d", r.config.Port),
		"bind * -::*",
		"protected-mode no",
		"daemonize no",
		fmt.Sprintf("dir %q", r.dir),
		`save ""`,
		"appendonly " + onOff[r.config.AppendOnly],
		"repl-diskless-sync yes",
		"repl-diskless-sync-delay 0",
		"repl-timeout 20",
	}
	if r.config.ReplicaOf.IsValid() {
		lines = append(lines, fmt.Sprintf("replicaof %s %d", r.config.ReplicaOf.Addr(), r.config.ReplicaOf.Port()))
	}
	if r.config.TLS != nil {
		lines = append(lines, r.config.TLS.lines()...)
	}
	return append(lines, r.config.Extra...)
}

// Start starts the server with the configuration and the data that are there, and waits until it answers. The wait ends
// with the context, after 10 s at the latest.
func (r *Redis) Start(ctx context.Context) error {
	if p := r.Process(); p != nil && !p.Ended() {
		return fmt.Errorf("start redis on %s: it runs already", r.host.name)
	}
	printed := newReadyLine()
	process, err := r.host.Start(Command{Name: r.name, Path: r.program, Args: []string{r.file}, Output: printed})
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.process = process
	r.mu.Unlock()
	if err := r.awaitReady(ctx, process, printed); err != nil {
		_, killErr := process.Kill()
		return errors.Join(fmt.Errorf("start redis on %s: %w", r.host.name, err), killErr)
	}
	return nil
}

// awaitReady waits until PING is answered, or the server says that it is ready: behind a shut gate nobody can ask it.
func (r *Redis) awaitReady(ctx context.Context, process *Process, printed *readyLine) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	again := time.NewTicker(readyPause)
	defer again.Stop()
	for {
		select {
		case <-printed.seen:
			return nil
		case <-process.Done():
			return fmt.Errorf("it ended at once: %s", printed.tail())
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", ctx.Err())
		case <-again.C:
			if r.answers(ctx) {
				return nil
			}
		}
	}
}

// answers reports whether the server, rather than the kernel, speaks, and is not busy loading its data. That it wants a
// password first is an answer.
func (r *Redis) answers(ctx context.Context) bool {
	_, err := r.Do(ctx, "PING")
	var refused *resp.ReplyError
	if errors.As(err, &refused) {
		return refused.Code != "LOADING"
	}
	return err == nil
}

// Do asks the server one thing, from its own host, over a connection of its own.
func (r *Redis) Do(ctx context.Context, args ...string) (resp.Value, error) {
	dial := wire.Dialer(r.host.Dial)
	if r.onlyTLS() {
		dial = wire.OverTLS(dial, r.clientTLS)
	}
	conn, err := wire.Dial(ctx, dial, netip.AddrPortFrom(loopback, r.port()), askLimit)
	if err != nil {
		return resp.Value{}, err
	}
	defer conn.Close()
	return conn.Do(askLimit, args...)
}

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// Addr returns where other hosts reach the server.
func (r *Redis) Addr() netip.AddrPort { return r.host.Port(r.port()) }

// Host returns the server's host.
func (r *Redis) Host() *Host { return r.host }

// File returns the path of the server's configuration file.
func (r *Redis) File() string { return r.file }

// Process returns the server's program as last started; nil before.
func (r *Redis) Process() *Process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.process
}

// Kill ends the server with SIGKILL and returns the instant just before the signal.
func (r *Redis) Kill() (clock.Instant, error) {
	p := r.Process()
	if p == nil {
		return 0, fmt.Errorf("kill redis on %s: it was never started", r.host.name)
	}
	return p.Kill()
}

// Restart kills the server if it runs, and starts it with the data that it has on disk.
func (r *Redis) Restart(ctx context.Context) error {
	return r.restart(ctx, func() error { return nil })
}

// RestartEmpty kills the server if it runs, and starts it without its data, with its configuration as it is now.
func (r *Redis) RestartEmpty(ctx context.Context) error { return r.restart(ctx, r.Wipe) }

func (r *Redis) restart(ctx context.Context, between func() error) error {
	if _, err := r.Kill(); err != nil {
		return err
	}
	if err := between(); err != nil {
		return err
	}
	return r.Start(ctx)
}

// Wipe removes the server's data from disk. The server must not run.
func (r *Redis) Wipe() error {
	if err := os.RemoveAll(r.dir); err != nil {
		return fmt.Errorf("wipe redis on %s: %w", r.host.name, err)
	}
	if err := os.Mkdir(r.dir, 0o700); err != nil {
		return fmt.Errorf("wipe redis on %s: %w", r.host.name, err)
	}
	return nil
}
