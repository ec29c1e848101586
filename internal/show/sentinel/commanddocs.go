package sentinel

// What COMMAND DOCS tells of each command. Releases, notations and the order of all fields are facts of Redis 7.0; the sentences are ours.

// commandDocs is what redis-cli asks at its start, for its help and its completion.
func (c *Client) commandDocs(names []string, r *reply) {
	var told []*command
	if len(names) == 0 {
		for _, name := range c.face.dialect.names() {
			told = append(told, c.face.dialect.commands[name])
		}
	}
	for _, name := range names {
		if found := c.face.dialect.find(name); found != nil {
			told = append(told, found)
		}
	}
	r.docs(told)
}

func (r *reply) docs(all []*command) {
	r.dict(len(all))
	for _, c := range all {
		r.bulk(c.fullName())
		r.doc(c)
	}
}

// doc tells of one command. A field that it has nothing for is not there.
func (r *reply) doc(c *command) {
	name, old := c.fullName(), c.replaced != ""
	cost, takes, history := c.cost(), arguments[name], histories[name]
	n := 3
	for _, there := range []bool{cost != "", len(history) > 0, old, old, old, len(takes) > 0, len(c.subs) > 0} {
		if there {
			n++
		}
	}
	r.dict(n)
	r.strings("summary", c.about, "since", c.since, "group", c.group)
	if cost != "" {
		r.strings("complexity", cost)
	}
	if len(history) > 0 {
		r.bulk("history")
		r.history(history)
	}
	if old {
		r.bulk("doc_flags")
		r.statuses("", []string{"deprecated"})
		r.strings("deprecated_since", "5.0.0", "replaced_by", c.replaced)
	}
	if len(takes) > 0 {
		r.bulk("arguments")
		r.arguments(takes)
	}
	if len(c.subs) > 0 {
		r.bulk("subcommands")
		r.docs(c.subs)
	}
}

// change is what a release has brought to a command.
type change struct{ release, what string }

func (r *reply) history(all []change) {
	r.set(len(all))
	for _, c := range all {
		r.array(2)
		r.strings(c.release, c.what)
	}
}

// histories are those of the commands that are not what they were at first, by their full names.
var histories = map[string][]change{
	"acl|getuser": {{"6.2.0", "Tells patterns of channels, too"}, {"7.0.0", "Tells selectors; patterns are written as in rules, and no longer a list"}},
	"acl|setuser": {{"6.2.0", "Takes patterns of channels"}, {"7.0.0", "Takes selectors, and what may be done with keys"}},
	"auth":        {{"6.0.0", "Takes the name of a user before the password"}},
	"client|kill": {
		{"2.8.12", "Takes filters, each with a name"},
		{"2.8.12", "Filters by `ID`"},
		{"3.2.0", "Of `TYPE`, masters can be told from others"},
		{"5.0.0", "Of `TYPE`, replicas are called `replica`; `slave` is understood as before"},
		{"6.2.0", "Filters by `LADDR`"},
	},
	"client|list": {
		{"2.8.12", "Tells the number of each connection, `id`"},
		{"5.0.0", "Filters by `TYPE`"},
		{"6.0.0", "Tells the `user`"},
		{"6.2.0", "Tells `laddr`, `redir`, `argv-mem` and `tot-mem`, and filters by `ID`"},
		{"7.0.0", "Tells the protocol, `resp`, and memory as `multi-mem`, `rbs` and `rbp`"},
		{"7.0.3", "Tells `ssub`"},
	},
	"client|pause": {{"6.2.0", "Takes a `mode`, of which `WRITE` lets readers go on"}},
	"command|info": {{"7.0.0", "Tells of all commands where none is named"}},
	"hello":        {{"6.2.0", "Changes nothing where no `protover` is given, and tells how things stand"}},
	"info":         {{"7.0.0", "Takes the names of several sections"}},
	"shutdown":     {{"7.0.0", "Takes `NOW`, `FORCE` and `ABORT`"}},
}

// costs are the complexities of commands that are neither O(1) nor containers.
var costs = map[string]string{
	"acl|getuser": "O(N), N being the user's rules",
	"acl|list":    "O(N), N being the users",
	"acl|load":    "O(N), N being the users",
	"acl|log":     "O(N), N being the entries told",
	"acl|save":    "O(N), N being the users",
	"acl|setuser": "O(N), N being the rules given",
	"acl|users":   "O(N), N being the users",

	"auth":           "O(N), N being the user's passwords",
	"client|kill":    "O(N), N being the connections",
	"client|list":    "O(N), N being the connections",
	"client|unblock": "O(log N), N being the connections",
	"client|unpause": "O(N), N being the connections held up",

	"command":                 "O(N), N being the commands",
	"command|docs":            "O(N), N being the commands named",
	"command|getkeys":         "O(N), N being the arguments",
	"command|getkeysandflags": "O(N), N being the arguments",
	"command|info":            "O(N), N being the commands named",
	"command|list":            "O(N), N being the commands",

	"psubscribe":   "O(N), N being the connection's patterns",
	"publish":      "O(N+M), N being the channel's listeners, M all patterns",
	"punsubscribe": "O(N+M), N being the connection's patterns, M all",
	"shutdown":     "O(N), N being the keys where there are any to be saved; O(1) where not",
	"subscribe":    "O(N), N being the channels named",
	"unsubscribe":  "O(N), N being the channel's listeners",

	"sentinel|debug":      "O(N), N being the periods",
	"sentinel|info-cache": "O(N), N being the servers",
	"sentinel|masters":    "O(N), N being the groups",
	"sentinel|primaries":  "O(N), N being the groups",
	"sentinel|replicas":   "O(N), N being the replicas",
	"sentinel|reset":      "O(N), N being the groups",
	"sentinel|sentinels":  "O(N), N being the Sentinels",
	"sentinel|slaves":     "O(N), N being the replicas",

	// Of these Redis tells none.
	"sentinel|ckquorum": "", "sentinel|failover": "", "sentinel|pending-scripts": "", "sentinel|simulate-failure": "",
}

// cost is the command's complexity in words; "" where none is told.
func (c *command) cost() string {
	if told, ok := costs[c.fullName()]; ok {
		return told
	}
	if len(c.subs) > 0 && c.run == nil {
		return "That of the subcommand"
	}
	return "O(1)"
}
