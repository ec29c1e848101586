package sentinel

import (
	"slices"
	"strings"

	"redkeep/internal/speak/acl"
)

// command is one that the face knows, or a subcommand of one.
type command struct {
	// name is in lower case, a subcommand's without its container's.
	name string
	// arity is how many words the whole request has; where it is negative, at least as many as that.
	arity int
	// flags, and the categories that do not follow from them (extra), are told by COMMAND, as are the tips.
	flags, extra, tips string
	// since and group are for COMMAND DOCS, about is its summary.
	since, group, about string
	// replaced names the command that is to be used since 5.0.0; "" for one that is as good as ever.
	replaced string
	// run answers a request, and gets the words after its name. It is nil for a mere container.
	run func(*Client, []string, *reply)
	// quick does the same without taking memory, for what is asked most and changes nothing: within one turn the same words are answered
	// the same. They are good during the call only.
	quick func(*Client, [][]byte, *reply)
	// subs are the subcommands in the order in which they are told, and parts the same by their names.
	subs  []*command
	parts map[string]*command
	// container is the name of the command that a subcommand belongs to.
	container string
	// listening is whether a RESP2 subscriber may send it.
	listening bool
	// unpausable is whether it is answered during a pause of clients.
	unpausable bool
	// from is the first flavor that has it, before the first that has it no more; 0 is that all do.
	from, before Flavor
	// id is the command's place in the rules.
	id acl.ID
}

// Flags that many have.
const (
	plain  = "loading stale"
	script = "noscript loading stale"
	admin  = "admin noscript loading stale"
	sub    = "pubsub noscript loading stale"
	varies = "nondeterministic_output"
	conn   = "connection"
)

// makeTable makes the table of a flavor. Tools compare it: monitors by COMMAND COUNT, client libraries by the flags, redis-cli
// completes from it. Names, arities, flags and releases are facts of that release; the summaries are ours.
func makeTable(f Flavor) map[string]*command {
	t := map[string]*command{}
	for _, c := range slices.Concat(commandsOfAll(), []*command{
		{name: "acl", arity: -2, since: "6.0.0", group: "server", about: "Container of what is about users", subs: aclCommands()},
		{name: "client", arity: -2, since: "2.4.0", group: conn, about: "Container of what is about connections", subs: clientCommands()},
		{
			name: "command", arity: -1, flags: plain, extra: conn, tips: varies + "_order", since: "2.8.13", group: "server",
			about: "Tells all commands with arity, flags and categories", run: (*Client).commandAll, subs: commandCommands(),
		},
		{name: "sentinel", arity: -2, flags: "admin", since: "2.8.4", group: "sentinel", about: "Container of what is about groups", subs: sentinelCommands()},
	}) {
		c.subs = slices.DeleteFunc(c.subs, func(s *command) bool { return f < s.from || s.before != 0 && f >= s.before })
		for _, s := range c.subs {
			s.container = c.name
			if c.parts == nil {
				c.parts = map[string]*command{}
			}
			c.parts[s.name] = s
			s.unpausable = unpausable[s.fullName()]
			s.revise(f)
		}
		c.listening = c.name == "ping" || c.group == "pubsub" && c.name != "publish"
		c.unpausable = unpausable[c.name]
		t[c.name] = c
	}
	return t
}

func commandsOfAll() []*command {
	return []*command{
		{name: "auth", arity: -2, flags: "noscript loading stale fast no_auth allow_busy", extra: conn, since: "1.0.0", group: conn, about: "Says who the connection is", run: (*Client).auth},
		{name: "hello", arity: -1, flags: "noscript loading stale fast no_auth allow_busy", extra: conn, since: "6.0.0", group: conn, about: "Chooses the protocol, says who the connection is", run: (*Client).hello},
		{name: "info", arity: -1, flags: plain, extra: "dangerous", tips: varies + " request_policy:all_shards response_policy:special", since: "1.0.0", group: "server", about: "Tells numbers about this process and its groups", run: (*Client).info},
		{name: "ping", arity: -1, flags: "fast", extra: conn, tips: "request_policy:all_shards response_policy:all_succeeded", since: "1.0.0", group: conn, about: "Answers", quick: (*Client).ping},
		{name: "psubscribe", arity: -2, flags: sub, since: "2.0.0", group: "pubsub", about: "Listens to channels by pattern", run: (*Client).psubscribe},
		{name: "publish", arity: 3, flags: "pubsub loading stale fast", since: "2.0.0", group: "pubsub", about: "Takes the greeting of another Sentinel", run: (*Client).publish},
		{name: "punsubscribe", arity: -1, flags: sub, since: "2.0.0", group: "pubsub", about: "Stops listening by pattern", run: (*Client).punsubscribe},
		{name: "role", arity: 1, flags: "noscript loading stale fast", extra: "admin dangerous", since: "2.8.12", group: "server", about: "Tells the names of the groups", run: (*Client).role},
		{name: "shutdown", arity: -1, flags: "admin noscript loading stale no_multi allow_busy", since: "1.0.0", group: "server", about: "Ends the process, if it may", run: (*Client).shutdown},
		{name: "subscribe", arity: -2, flags: sub, since: "2.0.0", group: "pubsub", about: "Listens to channels", run: (*Client).subscribe},
		{name: "unsubscribe", arity: -1, flags: sub, since: "2.0.0", group: "pubsub", about: "Stops listening to channels", run: (*Client).unsubscribe},
	}
}

func aclCommands() []*command {
	all := []*command{
		{name: "cat", arity: -2, flags: script, about: "Tells the categories, or the commands of one", run: (*Client).aclCat},
		{name: "deluser", arity: -3, flags: admin, about: "Removes users, and closes their connections", run: (*Client).aclDelUser},
		{name: "dryrun", arity: -4, flags: admin, since: "7.0.0", about: "Tells whether a user may", run: (*Client).aclDryRun},
		{name: "genpass", arity: -2, flags: script, about: "Makes a password", run: (*Client).aclGenPass},
		{name: "getuser", arity: 3, flags: admin, about: "Tells the rules of a user", run: (*Client).aclGetUser},
		{name: "help", arity: 2, flags: plain, about: "Tells these subcommands", run: (*Client).aclHelp},
		{name: "list", arity: 2, flags: admin, about: "Tells the rules of all users", run: (*Client).aclList},
		{name: "load", arity: 2, flags: admin, about: "Reads the file of users again", run: (*Client).aclLoad},
		{name: "log", arity: -2, flags: admin, about: "Tells who was refused what", run: (*Client).aclLog},
		{name: "save", arity: 2, flags: admin, about: "Writes the file of users", run: (*Client).aclSave},
		{name: "setuser", arity: -3, flags: admin, about: "Makes or changes a user", run: (*Client).aclSetUser},
		{name: "users", arity: 2, flags: admin, about: "Tells the names of all users", run: (*Client).aclUsers},
		{name: "whoami", arity: 2, flags: script, about: "Tells the connection's user", run: (*Client).aclWhoAmI},
	}
	return filled(all, "6.0.0", "server", "")
}

func clientCommands() []*command {
	all := []*command{
		{name: "caching", arity: 3, flags: script, since: "6.0.0", about: "Tracks the keys of the next command", run: (*Client).clientCaching},
		{name: "getname", arity: 2, flags: script, since: "2.6.9", about: "Tells the connection's name", run: (*Client).clientGetName},
		{name: "getredir", arity: 2, flags: script, since: "6.0.0", about: "Tells where invalidations go", run: (*Client).clientGetRedir},
		{name: "help", arity: 2, flags: plain, since: "5.0.0", about: "Tells these subcommands", run: (*Client).clientHelp},
		{name: "id", arity: 2, flags: script, since: "5.0.0", about: "Tells the connection's number", run: (*Client).clientID},
		{name: "info", arity: 2, flags: script, tips: varies, since: "6.2.0", about: "Tells of this connection", run: (*Client).clientInfo},
		{name: "kill", arity: -3, flags: admin, about: "Closes connections", run: (*Client).clientKill},
		{name: "list", arity: -2, flags: admin, tips: varies, about: "Tells of all connections", run: (*Client).clientList},
		{name: "no-evict", arity: 3, flags: admin, since: "7.0.0", about: "Spares the connection when memory is short", run: (*Client).clientNoEvict},
		{name: "pause", arity: -3, flags: admin, since: "2.9.50", about: "Holds up all connections, if one may", run: (*Client).clientPause},
		{name: "reply", arity: 3, flags: script, since: "3.2.0", about: "Holds replies back", run: (*Client).clientReply},
		{name: "setinfo", arity: 4, flags: script, tips: everyNode, since: "7.2.0", about: "Says which library the connection is of", from: Redis72, run: (*Client).clientSetInfo},
		{name: "setname", arity: 3, flags: script, since: "2.6.9", about: "Names the connection", run: (*Client).clientSetName},
		{name: "tracking", arity: -3, flags: script, since: "6.0.0", about: "Tracks keys, of which there are none here", run: (*Client).clientTracking},
		{name: "trackinginfo", arity: 2, flags: script, since: "6.2.0", about: "Tells how keys are tracked", run: (*Client).clientTrackingInfo},
		{name: "unblock", arity: -3, flags: admin, since: "5.0.0", about: "Wakes a connection that waits, of which there are none here", run: (*Client).clientUnblock},
		{name: "unpause", arity: 2, flags: admin, since: "6.2.0", about: "Ends a pause", run: (*Client).clientUnpause},
	}
	return filled(all, "2.4.0", conn, conn)
}

func commandCommands() []*command {
	all := []*command{
		{name: "count", arity: 2, flags: plain, about: "Counts the commands", run: (*Client).commandCount},
		{name: "docs", arity: -2, flags: plain, tips: varies + "_order", since: "7.0.0", about: "Tells what commands are for", run: (*Client).commandDocs},
		{name: "getkeys", arity: -4, flags: plain, about: "Tells the keys of a request", run: (*Client).commandKeys},
		{name: "getkeysandflags", arity: -4, flags: plain, since: "7.0.0", about: "Tells the keys of a request, and what is done with them", run: (*Client).commandKeys},
		{name: "help", arity: 2, flags: plain, since: "5.0.0", about: "Tells these subcommands", run: (*Client).commandHelp},
		{name: "info", arity: -2, flags: plain, tips: varies + "_order", about: "Tells arity, flags and categories of commands", run: (*Client).commandInfo},
		{name: "list", arity: -2, flags: plain, tips: varies + "_order", since: "7.0.0", about: "Tells the names of commands", run: (*Client).commandList},
	}
	return filled(all, "2.8.13", "server", conn)
}

func sentinelCommands() []*command {
	all := []*command{
		{name: "ckquorum", arity: 3, about: "Tells whether enough Sentinels are heard", run: (*Client).ckquorum},
		{name: "config", arity: -3, since: "6.2.0", about: "Tells settings of Sentinel, or changes one", before: Redis72, run: (*Client).config},
		{name: "config", arity: -4, since: "6.2.0", about: "Tells settings of Sentinel, or changes some", from: Redis72, run: (*Client).configs},
		{name: "debug", arity: -2, since: "7.0.0", about: "Tells Sentinel's periods, or changes some", run: (*Client).debug},
		{name: "failover", arity: 3, about: "Switches a group over to its best replica", before: Valkey9, run: (*Client).failover},
		{name: "failover", arity: -3, about: "Switches a group over to its best replica", from: Valkey9, run: (*Client).failover},
		{name: "flushconfig", arity: 2, about: "Saves the configuration", run: (*Client).flushConfig},
		{name: "get-master-addr-by-name", arity: 3, about: "Tells the address of a group's master", quick: (*Client).masterAddr},
		{name: "get-primary-addr-by-name", arity: 3, since: "8.0.0", about: "Tells the address of a group's master", from: Valkey8, quick: (*Client).masterAddr},
		{name: "help", arity: 2, flags: plain, since: "6.2.0", about: "Tells these subcommands", run: (*Client).sentinelHelp},
		{name: "info-cache", arity: -3, since: "3.2.0", about: "Tells what servers said last of themselves", run: (*Client).infoCache},
		{name: "is-master-down-by-addr", arity: 6, about: "Tells whether a master is down, and whom this Sentinel votes for", run: (*Client).isMasterDown},
		{name: "is-primary-down-by-addr", arity: 6, since: "8.0.0", about: "Tells whether a master is down, and whom this Sentinel votes for", from: Valkey8, run: (*Client).isMasterDown},
		{name: "master", arity: 3, about: "Tells of one group's master", run: (*Client).master},
		{name: "masters", arity: 2, about: "Tells of all groups' masters", run: (*Client).masters},
		{name: "monitor", arity: 6, about: "Adds a group", run: (*Client).monitor},
		{name: "myid", arity: 2, since: "6.2.0", about: "Tells this Sentinel's identity", run: (*Client).myID},
		{name: "pending-scripts", arity: 2, about: "Tells the scripts that run or wait", run: (*Client).pendingScripts},
		{name: "primaries", arity: 2, since: "8.0.0", about: "Tells of all groups' masters", from: Valkey8, run: (*Client).masters},
		{name: "primary", arity: 3, since: "8.0.0", about: "Tells of one group's master", from: Valkey8, run: (*Client).master},
		{name: "remove", arity: 3, about: "Removes a group", run: (*Client).remove},
		{name: "replicas", arity: 3, since: "5.0.0", about: "Tells of a group's replicas", run: (*Client).replicas},
		{name: "reset", arity: 3, about: "Starts anew with groups, by pattern", run: (*Client).reset},
		{name: "sentinels", arity: 3, about: "Tells of a group's other Sentinels", run: (*Client).sentinels},
		{name: "set", arity: -5, about: "Changes options of a group", run: (*Client).set},
		{name: "simulate-failure", arity: -3, since: "3.2.0", about: "Has this Sentinel fail at a certain moment", run: (*Client).simulateFailure},
		{name: "slaves", arity: 3, since: "2.8.0", replaced: "`SENTINEL REPLICAS`", about: "Tells of a group's replicas", run: (*Client).replicas},
	}
	for _, c := range all {
		if c.flags == "" {
			c.flags = "admin"
		}
	}
	return filled(all, "2.8.4", "sentinel", "")
}

// filled gives subcommands what most of a container have in common.
func filled(all []*command, since, group, extra string) []*command {
	for _, c := range all {
		if c.since == "" {
			c.since = since
		}
		c.group, c.extra = group, extra
	}
	return all
}

// fullName is how errors, lists and categories call the command.
func (c *command) fullName() string {
	if c.container == "" {
		return c.name
	}
	return c.container + "|" + c.name
}

// is reports whether the command has the flag.
func (c *command) is(flag string) bool { return slices.Contains(strings.Fields(c.flags), flag) }

// takes reports whether a request of so many words suits the command.
func (c *command) takes(words int) bool {
	return words == c.arity || c.arity < 0 && words >= -c.arity
}

// categories are those that the flags imply, and the others; in the order of ACL CAT.
func (c *command) categories() []string {
	has := strings.Fields(c.extra)
	for _, f := range []string{"pubsub", "admin"} {
		if c.is(f) {
			has = append(has, f)
		}
	}
	if c.is("admin") {
		has = append(has, "dangerous")
	}
	if c.is("fast") {
		has = append(has, "fast")
	} else {
		has = append(has, "slow")
	}
	var out []string
	for _, k := range categories {
		if slices.Contains(has, k) {
			out = append(out, k)
		}
	}
	return out
}

// categories are those of Redis 7.0, in its order.
var categories = []string{
	"keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "hyperloglog", "geo", "stream",
	"pubsub", "admin", "fast", "slow", "blocking", "dangerous", "connection", "transaction", "scripting",
}
