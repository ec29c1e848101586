package sentinel

// revision is what COMMAND tells otherwise, from a release on, of a command that was there before.
type revision struct {
	from Flavor
	// arity is 0, and the others are empty, where they are as before.
	arity       int
	flags, tips string
}

const (
	everyNode = "request_policy:all_nodes response_policy:all_succeeded"
	busyToo   = script + " allow_busy"
)

// revisions are those that Valkey 8.0 and 9.1 show, by full names; each command's are in the order of the releases.
var revisions = map[string][]revision{
	"acl|deluser":             {{from: Valkey8, tips: everyNode}},
	"acl|save":                {{from: Valkey8, tips: everyNode}},
	"acl|setuser":             {{from: Valkey8, tips: everyNode}},
	"client|caching":          {{from: Valkey9, flags: busyToo}},
	"client|getname":          {{from: Valkey9, flags: busyToo}},
	"client|getredir":         {{from: Valkey9, flags: busyToo}},
	"client|id":               {{from: Valkey9, flags: busyToo}},
	"client|no-evict":         {{from: Valkey9, flags: admin + " allow_busy"}},
	"client|reply":            {{from: Valkey9, flags: script + " no_multi allow_busy"}},
	"client|setinfo":          {{from: Valkey9, flags: busyToo}},
	"client|setname":          {{from: Valkey8, tips: everyNode}, {from: Valkey9, flags: busyToo}},
	"command|getkeys":         {{from: Valkey8, arity: -3}},
	"command|getkeysandflags": {{from: Valkey8, arity: -3}},
}

// revise has a command be as the flavor has it.
func (c *command) revise(f Flavor) {
	for _, r := range revisions[c.fullName()] {
		if f < r.from {
			return
		}
		if r.arity != 0 {
			c.arity = r.arity
		}
		if r.flags != "" {
			c.flags = r.flags
		}
		if r.tips != "" {
			c.tips = r.tips
		}
	}
}
