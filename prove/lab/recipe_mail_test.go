package lab

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"redkeep/internal/stage"
)

// mailbox takes mail by SMTP, as much of it as a script's library speaks, and keeps it.
type mailbox struct {
	listener net.Listener
	work     sync.WaitGroup

	mu    sync.Mutex // guards mails
	mails []string
}

// takeMail opens a mailbox on a host. It ends with the test.
func takeMail(t *testing.T, h *stage.Host, at string) *mailbox {
	t.Helper()
	l, err := h.Listen(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	m := &mailbox{listener: l}
	m.work.Go(m.serve) // ends when the listener is closed
	t.Cleanup(func() { l.Close(); m.work.Wait() })
	return m
}

func (m *mailbox) serve() {
	for {
		conn, err := m.listener.Accept()
		if err != nil {
			return
		}
		m.work.Go(func() { m.talk(conn) }) // ends with the connection, at its deadline at the latest
	}
}

// talk says yes to everything.
func (m *mailbox) talk(conn net.Conn) {
	defer conn.Close()
	if conn.SetDeadline(time.Now().Add(5*time.Second)) != nil {
		return
	}
	lines := bufio.NewScanner(conn)
	answer := func(text string) { _, _ = conn.Write([]byte(text + "\r\n")) }
	answer("220 mail.example.net")
	for lines.Scan() {
		verb, _, _ := strings.Cut(strings.ToUpper(lines.Text()), " ")
		switch verb {
		case "EHLO":
			answer("250-mail.example.net\r\n250 AUTH PLAIN LOGIN")
		case "AUTH":
			answer("235 welcome")
		case "DATA":
			answer("354 go on")
			m.keep(lines)
			answer("250 taken")
		case "QUIT":
			answer("221 bye")
			return
		default:
			answer("250 fine")
		}
	}
}

// keep reads a mail up to its lonely dot.
func (m *mailbox) keep(lines *bufio.Scanner) {
	var mail strings.Builder
	for lines.Scan() && lines.Text() != "." {
		mail.WriteString(lines.Text() + "\n")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mails = append(m.mails, mail.String())
}

// all returns the mails so far.
func (m *mailbox) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.mails...)
}
