package sentinel

import "strings"

// What commands take, as COMMAND DOCS tells it and redis-cli shows behind the cursor. Names, kinds and releases are facts of Redis 7.0.

// argument is one of a command's arguments. Kind is string where it is "".
type argument struct {
	name, kind, token, since, until string
	// flags are those of optional, multiple and multiple_token that it has.
	flags string
	of    []argument
}

// The kinds that are not string.
const (
	integerArg = "integer"
	patternArg = "pattern"
	tokenArg   = "pure-token"
	oneOf      = "oneof"
	block      = "block"
)

const (
	optional = "optional"
	multiple = "multiple"
	several  = "optional multiple"
)

// tokens are alternatives that are words of their own, written as their names in capitals.
func tokens(names ...string) (all []argument) {
	for _, n := range names {
		all = append(all, argument{name: n, kind: tokenArg, token: strings.ToUpper(n)})
	}
	return all
}

// one is a single argument that is a text.
func one(name string) []argument { return []argument{{name: name}} }

// arguments are those of the commands that have any, by their full names.
var arguments = map[string][]argument{
	"auth": {{name: "username", since: "6.0.0", flags: optional}, {name: "password"}},
	"hello": {{name: "arguments", kind: block, flags: optional, of: []argument{
		{name: "protover", kind: integerArg},
		{name: "username_password", kind: block, token: "AUTH", flags: optional, of: []argument{{name: "username"}, {name: "password"}}},
		{name: "clientname", token: "SETNAME", flags: optional},
	}}},
	"info":         {{name: "section", flags: several}},
	"ping":         {{name: "message", flags: optional}},
	"psubscribe":   {{name: "pattern", kind: block, flags: multiple, of: []argument{{name: "pattern", kind: patternArg}}}},
	"publish":      {{name: "channel"}, {name: "message"}},
	"punsubscribe": {{name: "pattern", kind: patternArg, flags: several}},
	"shutdown": {
		{name: "nosave_save", kind: oneOf, flags: optional, of: tokens("nosave", "save")},
		{name: "now", kind: tokenArg, token: "NOW", since: "7.0.0", flags: optional},
		{name: "force", kind: tokenArg, token: "FORCE", since: "7.0.0", flags: optional},
		{name: "abort", kind: tokenArg, token: "ABORT", since: "7.0.0", flags: optional},
	},
	"subscribe":   {{name: "channel", flags: multiple}},
	"unsubscribe": {{name: "channel", flags: several}},

	"acl|cat":     {{name: "categoryname", flags: optional}},
	"acl|deluser": {{name: "username", flags: multiple}},
	"acl|dryrun":  {{name: "username"}, {name: "command"}, {name: "arg", flags: several}},
	"acl|genpass": {{name: "bits", kind: integerArg, flags: optional}},
	"acl|getuser": one("username"),
	"acl|log": {{name: "operation", kind: oneOf, flags: optional, of: []argument{
		{name: "count", kind: integerArg}, {name: "reset", kind: tokenArg, token: "RESET"},
	}}},
	"acl|setuser": {{name: "username"}, {name: "rule", flags: several}},

	"client|caching":  {{name: "mode", kind: oneOf, of: tokens("yes", "no")}},
	"client|kill":     {{name: "filter", kind: oneOf, of: []argument{{name: "ip:port", until: "2.8.12"}, killFilters}}},
	"client|list":     {clientTypes("normal_master_replica_pubsub", "5.0.0", tokens("normal", "master", "replica", "pubsub")), clientIDs},
	"client|no-evict": {{name: "enabled", kind: oneOf, of: tokens("on", "off")}},
	"client|pause": {
		{name: "timeout", kind: integerArg}, {name: "mode", kind: oneOf, since: "6.2.0", flags: optional, of: tokens("write", "all")},
	},
	"client|reply":   {{name: "on_off_skip", kind: oneOf, of: tokens("on", "off", "skip")}},
	"client|setname": one("connection-name"),
	"client|setinfo": {{name: "attr", kind: oneOf, of: []argument{{name: "libname", token: "LIB-NAME"}, {name: "libver", token: "LIB-VER"}}}},
	"client|tracking": {
		{name: "status", kind: oneOf, of: tokens("on", "off")},
		{name: "client-id", kind: integerArg, token: "REDIRECT", flags: optional},
		{name: "prefix", token: "PREFIX", flags: "optional multiple multiple_token"},
		{name: "bcast", kind: tokenArg, token: "BCAST", flags: optional},
		{name: "optin", kind: tokenArg, token: "OPTIN", flags: optional},
		{name: "optout", kind: tokenArg, token: "OPTOUT", flags: optional},
		{name: "noloop", kind: tokenArg, token: "NOLOOP", flags: optional},
	},
	"client|unblock": {
		{name: "client-id", kind: integerArg}, {name: "timeout_error", kind: oneOf, flags: optional, of: tokens("timeout", "error")},
	},

	"command|docs": {{name: "command-name", flags: several}},
	"command|info": {{name: "command-name", flags: several}},
	"command|list": {{name: "filterby", kind: oneOf, token: "FILTERBY", flags: optional, of: []argument{
		{name: "module-name", token: "MODULE"}, {name: "category", token: "ACLCAT"}, {name: "pattern", kind: patternArg, token: "PATTERN"},
	}}},

	"sentinel|ckquorum": one("master-name"),
	"sentinel|config": {{name: "set_or_get", kind: oneOf, of: []argument{
		{name: "set_param_value", kind: block, token: "SET", flags: multiple, of: []argument{{name: "parameter"}, {name: "value"}}},
		{name: "parameter", token: "GET", flags: multiple},
	}}},
	"sentinel|debug":                   {{name: "parameter_value", kind: block, flags: multiple, of: []argument{{name: "parameter"}, {name: "value"}}}},
	"sentinel|failover":                one("master-name"),
	"sentinel|get-master-addr-by-name": one("master-name"),
	"sentinel|info-cache":              {{name: "nodename", flags: multiple}},
	"sentinel|is-master-down-by-addr": {
		{name: "ip"}, {name: "port", kind: integerArg}, {name: "current-epoch", kind: integerArg}, {name: "runid"},
	},
	"sentinel|master":    one("master-name"),
	"sentinel|monitor":   {{name: "name"}, {name: "ip"}, {name: "port", kind: integerArg}, {name: "quorum", kind: integerArg}},
	"sentinel|remove":    one("master-name"),
	"sentinel|replicas":  one("master-name"),
	"sentinel|reset":     {{name: "pattern", kind: patternArg}},
	"sentinel|sentinels": one("master-name"),
	"sentinel|set": {
		{name: "master-name"}, {name: "option_value", kind: block, flags: multiple, of: []argument{{name: "option"}, {name: "value"}}},
	},
	"sentinel|simulate-failure": {{name: "mode", kind: oneOf, flags: several, of: []argument{
		{name: "crash-after-election", kind: tokenArg}, {name: "crash-after-promotion", kind: tokenArg}, {name: "help", kind: tokenArg},
	}}},
	"sentinel|slaves": one("master-name"),
}

// killFilters are those that came after the plain address.
var killFilters = argument{name: "new-format", kind: oneOf, flags: multiple, of: []argument{
	{name: "client-id", kind: integerArg, token: "ID", since: "2.8.12", flags: optional},
	clientTypes("normal_master_slave_pubsub", "2.8.12", []argument{
		{name: "normal", kind: tokenArg, token: "NORMAL"},
		{name: "master", kind: tokenArg, token: "MASTER", since: "3.2.0"},
		{name: "slave", kind: tokenArg, token: "SLAVE"},
		{name: "replica", kind: tokenArg, token: "REPLICA", since: "5.0.0"},
		{name: "pubsub", kind: tokenArg, token: "PUBSUB"},
	}),
	{name: "username", token: "USER", flags: optional},
	{name: "ip:port", token: "ADDR", flags: optional},
	{name: "ip:port", token: "LADDR", since: "6.2.0", flags: optional},
	{name: "yes/no", token: "SKIPME", flags: optional},
}}

var clientIDs = argument{
	name: "id", kind: block, token: "ID", since: "6.2.0", flags: optional,
	of: []argument{{name: "client-id", kind: integerArg, flags: multiple}},
}

func clientTypes(name, since string, of []argument) argument {
	return argument{name: name, kind: oneOf, token: "TYPE", since: since, flags: optional, of: of}
}

// arguments answers with what a command takes.
func (r *reply) arguments(all []argument) {
	r.array(len(all))
	for _, a := range all {
		r.argument(a)
	}
}

func (r *reply) argument(a argument) {
	kind := a.kind
	if kind == "" {
		kind = "string"
	}
	told := [][2]string{{"name", a.name}, {"type", kind}}
	for _, f := range [][2]string{{"token", a.token}, {"since", a.since}, {"deprecated_since", a.until}} {
		if f[1] != "" {
			told = append(told, f)
		}
	}
	n := len(told)
	if a.flags != "" {
		n++
	}
	if len(a.of) > 0 {
		n++
	}
	r.dict(n)
	for _, f := range told {
		r.strings(f[0], f[1])
	}
	if flags := strings.Fields(a.flags); len(flags) > 0 {
		r.bulk("flags")
		r.statuses("", flags)
	}
	if len(a.of) > 0 {
		r.bulk("arguments")
		r.arguments(a.of)
	}
}
