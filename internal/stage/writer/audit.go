package writer

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"redkeep/internal/stage/wire"
)

const (
	// auditBatch is the number of keys read at once.
	auditBatch = 500
	// auditTimeout bounds one batch.
	auditTimeout = 5 * time.Second
)

// Report is what an audit found.
type Report struct {
	// Server is where the keys were read.
	Server netip.AddrPort
	// Acked is the number of acknowledged writes.
	Acked int
	// Missing are the acknowledged writes whose key is not there, and Wrong those whose key has another value.
	Missing, Wrong []Write
}

// Lost is the number of acknowledged writes that the server does not have.
func (r Report) Lost() int { return len(r.Missing) + len(r.Wrong) }

// String says it in a line.
func (r Report) String() string {
	return fmt.Sprintf("%d of %d acknowledged writes lost (read back from %s)", r.Lost(), r.Acked, r.Server)
}

// Audit reads every acknowledged key back from a server. The writer must write a new key each time (Keys of 0), and is
// best stopped before.
func (w *Writer) Audit(ctx context.Context, server netip.AddrPort) (Report, error) {
	report := Report{Server: server}
	if w.options.Keys > 0 {
		return report, errors.New("audit: the writer used its keys more than once")
	}
	conn, err := wire.Dial(ctx, w.options.dialer(), server, time.Second)
	if err != nil {
		return report, fmt.Errorf("audit: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()
	var batch []Write
	for _, write := range w.Writes() {
		if !write.OK() {
			continue
		}
		if batch = append(batch, write); len(batch) == auditBatch {
			if err := w.check(conn, batch, &report); err != nil {
				return report, err
			}
			batch = batch[:0]
		}
	}
	return report, w.check(conn, batch, &report)
}

// check reads the keys of some acknowledged writes.
func (w *Writer) check(conn *wire.Conn, batch []Write, report *Report) error {
	commands := make([][]string, len(batch))
	for i, write := range batch {
		commands[i] = []string{"GET", w.options.key(write.Seq)}
	}
	answers, err := conn.Pipeline(auditTimeout, commands)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	for i, answer := range answers {
		if err := answer.Err(); err != nil {
			return fmt.Errorf("audit: read %s: %w", commands[i][1], err)
		}
		report.Acked++
		switch {
		case answer.Nil:
			report.Missing = append(report.Missing, batch[i])
		case answer.Text != strconv.FormatUint(batch[i].Seq, 10):
			report.Wrong = append(report.Wrong, batch[i])
		}
	}
	return nil
}
