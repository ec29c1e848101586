package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"redkeep/internal/speak/resp"
	"redkeep/internal/words"
)

// Abilities are what the server can do of that which not every version can, as probed on the orders connection.
type Abilities struct {
	// RunID is of the process that was probed.
	RunID words.RunID
	// ReplicaOf says that it knows REPLICAOF; else it is told SLAVEOF (before 5.0).
	ReplicaOf bool
	// PauseWrite says that it can hold back writes alone, and end that (CLIENT PAUSE ... WRITE and UNPAUSE, from 6.2).
	PauseWrite bool
	// History says that it has a replication ID (from 4.0): without one, an offset is believed within one session only.
	History bool
	// Rewrite says that it has a file which it can write (CONFIG REWRITE).
	Rewrite bool
}

// probe asks the server what it knows, under the names that it knows it by. A server that doesn't tell is believed to
// know what its version has.
func (h *Hand) probe(ctx context.Context, l *link) error {
	able := Abilities{RunID: l.server.RunID, History: l.server.ReplID != ""}
	replicaOf, config := h.cfg.command("REPLICAOF"), h.cfg.command("CONFIG")
	ask := h.cfg.command("COMMAND", "INFO", first(replicaOf, "replicaof"), first(config, "config"))
	replies, err := l.do(ctx, h.cfg.command("CLIENT", "HELP"))
	if err != nil {
		return err
	}
	// The help says what the subcommands are from 5.0 on; before, there is no UNPAUSE.
	for _, line := range replies[0].Strings() {
		if strings.Contains(strings.ToUpper(line), "UNPAUSE") {
			able.PauseWrite = true
		}
	}
	if !able.PauseWrite {
		h.remark("the server can't pause writes: a switchover refuses them for the time that it takes")
	}
	modern := majorOf(l.server.Version) >= 5
	able.ReplicaOf, able.Rewrite = modern && replicaOf != nil, config != nil && l.process.ConfigFile != ""
	if len(ask) > 0 {
		if replies, err = l.do(ctx, ask); err != nil {
			return err
		}
		if known := replies[0].Elems; len(known) == 2 {
			able.ReplicaOf = replicaOf != nil && isKnown(known[0])
			able.Rewrite = able.Rewrite && isKnown(known[1])
		}
	}
	h.able = able
	return nil
}

// isKnown reads an element of COMMAND INFO's answer, which is nil for a command that isn't known.
func isKnown(v resp.Value) bool { return v.Kind == resp.Array && !v.Nil && len(v.Elems) > 0 }

func first(words []string, otherwise string) string {
	if len(words) == 0 {
		return otherwise
	}
	return words[0]
}

// majorOf reads the first number of a version; 0 when there is none. Every Valkey is newer than any Redis without
// REPLICAOF.
func majorOf(version string) int {
	version = strings.TrimPrefix(version, "valkey ")
	n, _, _ := strings.Cut(version, ".")
	major, err := strconv.Atoi(n)
	if err != nil {
		return 0
	}
	return major
}

// replicaOf returns the command that makes the server follow a master, or none ("NO", "ONE").
func (h *Hand) replicaOf(host, port string) []string {
	if h.able.ReplicaOf {
		return h.cfg.command("REPLICAOF", host, port)
	}
	return h.cfg.command("SLAVEOF", host, port)
}

// Abilities returns what the server can do. It opens the orders connection where that isn't open.
func (h *Hand) Abilities(ctx context.Context) (Abilities, error) {
	var able Abilities
	_, err := h.order(ctx, "probe the server", func(context.Context, *link) error {
		able = h.able
		return nil
	})
	if err != nil {
		return Abilities{}, fmt.Errorf("abilities: %w", err)
	}
	return able, nil
}
