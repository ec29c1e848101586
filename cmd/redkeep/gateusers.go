package main

import (
	"fmt"
	"os/user"
	"strconv"

	"redkeep/internal/speak/config"
)

// exemptUsers returns the numbers of the users whom the file lets through a shut gate. One that this host does not have,
// or not yet at boot, is not let through: the agent will say what is wrong with the name.
func exemptUsers(s streams, c *config.Config) []uint32 {
	var uids []uint32
	for _, g := range c.Groups {
		for _, name := range g.GateExempt {
			number := name
			if u, err := user.Lookup(name); err == nil {
				number = u.Uid
			}
			uid, err := strconv.ParseUint(number, 10, 32)
			if err != nil {
				_, _ = fmt.Fprintf(s.err, "redkeep: gate_exempt of %s: no user %q on this host, who is refused now\n", g.Name, name)
				continue
			}
			uids = append(uids, uint32(uid))
		}
	}
	return uids
}
