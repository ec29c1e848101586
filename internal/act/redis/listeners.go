package redis

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
)

// Listeners is where a server can be reached, as it says itself.
type Listeners struct {
	// PID is its process, if that was proven to be it; 0 otherwise.
	PID int
	// Ports are its TCP ports, the plain one and the one for TLS, without those that are off.
	Ports []uint16
	// Socket is the path of its unix socket, "" for none. SocketOpen says that others than its own user and root may
	// connect there, or that this can't be told from here.
	Socket     string
	SocketOpen bool
	// ReadOnly is replica-read-only.
	ReadOnly bool
	// TLSPort is the one of Ports that is for TLS; 0 for none.
	TLSPort uint16
}

// Listeners asks the server where it listens, over a connection of its own, so that no order waits for it. It changes
// nothing. Its errors say what to do where that is the server's configuration.
func (h *Hand) Listeners(ctx context.Context) (Listeners, error) {
	conn, err := h.dialer.dial(ctx, soon)
	if err != nil {
		return Listeners{}, fmt.Errorf("ask where the server listens: %w", err)
	}
	defer func() { _ = conn.Close() }()
	l := newLink(conn, h.cfg.Password)
	found, err := h.askListeners(ctx, l)
	if err != nil {
		return Listeners{}, fmt.Errorf("ask where the server listens: %w", err)
	}
	found.PID = int(h.proven.Load())
	return found, nil
}

func (h *Hand) askListeners(ctx context.Context, l *link) (Listeners, error) {
	var commands [][]string
	if auth := h.authentication(); auth != nil {
		commands = append(commands, auth)
	}
	skip := len(commands)
	// Each by itself: several at once are known since 7.0. The old spelling of the last is known to every version.
	for _, name := range []string{"port", "tls-port", "unixsocket", "unixsocketperm", replicatesOverTLS, "slave-read-only"} {
		commands = append(commands, h.cfg.command("CONFIG", "GET", name))
	}
	replies, err := l.do(ctx, commands...)
	if err != nil {
		return Listeners{}, err
	}
	values := map[string]string{}
	for _, v := range replies[skip:] {
		if err := v.Err(); err != nil {
			return Listeners{}, fmt.Errorf("%w; allow the agent's user CONFIG GET", err)
		}
		for i := 0; i+1 < len(v.Elems); i += 2 {
			values[v.Elems[i].Text] = v.Elems[i+1].Text
		}
	}
	if err := h.contradiction(values[replicatesOverTLS]); err != nil {
		h.remark(err.Error())
	}
	return readListeners(values)
}

// readListeners reads what CONFIG GET said.
func readListeners(values map[string]string) (Listeners, error) {
	found := Listeners{Socket: values["unixsocket"], ReadOnly: values["slave-read-only"] == "yes"}
	for _, name := range []string{"port", "tls-port"} {
		text, given := values[name]
		if !given && name == "tls-port" {
			continue // before 6.0
		}
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return found, fmt.Errorf("its %s is %q", name, text)
		}
		if name == "tls-port" {
			found.TLSPort = uint16(port)
		}
		if port != 0 {
			found.Ports = append(found.Ports, uint16(port))
		}
	}
	found.SocketOpen = found.Socket != "" && socketOpen(found.Socket, values["unixsocketperm"])
	return found, nil
}

// socketOpen reports whether others may connect to a unix socket, which takes the right to write. The file tells; where it
// can't be seen, the mode that the server was given does, and without either nobody can.
func socketOpen(path, perm string) bool {
	const others = 0o022
	info, err := os.Stat(path)
	if err == nil {
		return info.Mode().Perm()&others != 0
	}
	if errors.Is(err, fs.ErrNotExist) {
		return true // in another mount namespace, for one
	}
	mode, err := strconv.ParseUint(perm, 8, 32)
	return err != nil || mode == 0 || mode&others != 0
}
