package main

import (
	"context"
	"time"

	"redkeep/internal/client"
	"redkeep/internal/picture"
	"redkeep/internal/speak/config"
	"redkeep/internal/words"
)

const (
	// compareLimit bounds one question about a file: status must not wait for an agent that is slow to say what differs.
	compareLimit = time.Second
	// comparedFor is how long an answer is good for where status is looked at again and again.
	comparedFor = 10 * time.Second
)

// comparison finds out in what the files of nodes differ, where their agents say that they do.
type comparison struct{ known map[compared]answer }

type compared struct {
	group words.Group
	node  words.Node
}

type answer struct {
	differences []string
	at          time.Time
}

// fill puts the differences into the picture. What can't be asked is left out: that something differs is said all the same.
func (k *comparison) fill(ctx context.Context, c *client.Client, n *picture.Node) {
	for _, g := range n.Groups {
		for i := range g.Members {
			if m := &g.Members[i]; (m.Differs || m.OtherSettings) && m.Node != n.Node {
				m.Differences = k.differences(ctx, c, compared{g.Name, m.Node})
			}
		}
	}
}

func (k *comparison) differences(ctx context.Context, c *client.Client, of compared) []string {
	if known, ok := k.known[of]; ok && time.Since(known.at) < comparedFor {
		return known.differences
	}
	ctx, cancel := context.WithTimeout(ctx, compareLimit)
	defer cancel()
	var found []string
	if mine, err := c.Definition(ctx, of.group, ""); err == nil {
		if theirs, err := c.Definition(ctx, of.group, of.node); err == nil {
			found = config.Diff(mine, theirs)
		}
	}
	if k.known == nil {
		k.known = map[compared]answer{}
	}
	k.known[of] = answer{found, time.Now()}
	return found
}
