package acl

import (
	"math/rand/v2"
	"strings"
)

// generator makes requests and rules, most of which make sense.
type generator struct{ *rand.Rand }

func (g generator) one(of ...string) string { return of[g.IntN(len(of))] }

// maybe puts a word in place of one in n.
func (g generator) maybe(n int, word, otherwise string) string {
	if g.IntN(n) == 0 {
		return word
	}
	return otherwise
}

func (g generator) user() string     { return g.one("u", "v", "w", "x") }
func (g generator) password() string { return g.one("p", "q", "r", "") }

func (g generator) command() string {
	return g.one("ping", "PING", "publish", "subscribe", "psubscribe", "client", "client|kill", "client|ID", "acl", "acl|list", "acl|SETUSER", "sentinel",
		"sentinel|masters", "sentinel|help", "sentinel|set", "role", "info", "shutdown", "command", "command|count", "hello", "auth", "get", "client|nosuch", "unsubscribe")
}

func (g generator) category() string { return categories[g.IntN(len(categories))] }
func (g generator) pattern() string {
	return g.one("*", "a*", "a?", "[a-c]", "b", "ab", "", "*b*", `a\*`, "[^a]", "é", "[", "a[b")
}
func (g generator) channel() string {
	return g.one("a", "b", "ab", "c", "bb", "*", "a*", "[a-c]", "é", "")
}

// selectorRule is one that may be in parentheses.
func (g generator) selectorRule() string {
	switch g.IntN(16) {
	case 0, 1, 2:
		return "+" + g.command()
	case 3, 4:
		return "-" + g.command()
	case 5, 6:
		return g.one("+", "-") + "@" + g.maybe(12, g.one("all", "ALL", "nosuch", ""), g.category())
	case 7:
		return "+" + g.command() + "|" + g.one("x", "Y", "list", "kill", "", "x|y")
	case 8, 9:
		return g.one("~", "~", "%R~", "%W~", "%rw~", "%", "%RR~", "%R", "%X~", "%~") + g.pattern()
	case 10, 11:
		return "&" + g.pattern()
	case 12:
		return g.one("allkeys", "resetkeys", "resetkeys", "ALLKEYS")
	case 13:
		return g.one("allchannels", "resetchannels", "resetchannels")
	case 14:
		return g.one("allcommands", "nocommands", "+@all", "-@all")
	default:
		return g.one("+@all", "-@all", "", "foo", "~a b", "&a\tb", "+", "-", "+@", "%")
	}
}

func (g generator) rule() string {
	switch g.IntN(14) {
	case 0:
		return g.one("on", "off", "ON", "nopass", "resetpass", "reset")
	case 1:
		return g.one(">", "<") + g.password()
	case 2:
		return g.one("#", "!") + g.one("148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940", "148DE9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940", "12", "")
	case 3:
		return g.one("sanitize-payload", "skip-sanitize-payload", "clearselectors", "clearselectors", "clear", "on(")
	case 4:
		return g.one("(", "( ", "") + strings.Join(g.rules(g.selectorRule), " ") + g.one(")", " )", "")
	default:
		return g.selectorRule()
	}
}

func (g generator) rules(of func() string) (all []string) {
	for range g.IntN(5) {
		all = append(all, of())
	}
	return all
}

// asked is a request for a dry run.
func (g generator) asked() []string {
	switch g.IntN(6) {
	case 0:
		return []string{g.one("publish", "PUBLISH"), g.channel(), "m"}
	case 1, 2:
		return append([]string{g.one("subscribe", "psubscribe", "unsubscribe"), g.channel()}, g.rules(g.channel)...)
	case 3:
		return []string{g.one("ping", "role", "info", "auth", "hello", "shutdown", "get", "client|kill")}
	case 4:
		return []string{g.one("ping", "info", "role", "auth"), g.one("x", "y", "X", "z")}
	default:
		return []string{g.one("client", "acl", "sentinel", "command"), g.one("kill", "id", "LIST", "setuser", "masters", "help", "set", "count", "nosuch"), "x", "y", "z"}
	}
}

func (g generator) request() []string {
	switch g.IntN(12) {
	case 0, 1, 2, 3, 4:
		return append([]string{"ACL", "SETUSER", g.user()}, g.rules(g.rule)...)
	case 5, 6:
		return append([]string{"ACL", "DRYRUN", g.maybe(20, "nosuch", g.user())}, g.asked()...)
	case 7:
		return []string{"ACL", "GETUSER", g.user()}
	case 8:
		return []string{"acl", g.one("list", "users", "whoami", "LOG", "LIST")}
	case 9:
		switch g.IntN(6) {
		case 0:
			return []string{"ACL", "DELUSER", g.user(), g.maybe(5, "default", g.user())}
		case 1:
			return []string{"ACL", "LOG", g.one("reset", "0", "1", "100", "-1", "x", "+1", "01", "")}
		case 2:
			return []string{"ACL", "CAT", g.maybe(3, "nosuch", strings.ToUpper(g.category()))}
		default:
			return []string{"ACL", "GENPASS", g.one("1", "4", "5", "8", "9", "4096", "4097", "0", "x", "")}
		}
	default:
		// A user with that name would make the connection another, which may not go on with this.
		return []string{g.one("AUTH", "auth", "Auth"), g.one("nosuch", "other", "third"), g.password()}
	}
}

// file is the text of a file of users, which leaves the default one alone.
func (g generator) file() string {
	var b strings.Builder
	for range g.IntN(5) {
		b.WriteString(g.one("user ", "user ", "user ", "user ", "user ", "user ", "  user ", "user  ", "USER ", "# ", "", "user\t"))
		b.WriteString(g.one("u", "v", "w", "x", "u", "v", "", "a\tb") + " ")
		rules := g.rules(g.rule)
		// A parenthesis that nothing closes, and then a user who is there twice, end redis-sentinel 7.0.15.
		_, open := merge(strings.Split(strings.Join(rules, " "), " "))
		if open >= 0 || g.IntN(2) == 0 {
			rules = []string{"on", "+@all", "-" + g.one("ping", "client", "client|kill"), "(+ping", "~a)"}
		}
		b.WriteString(strings.Join(rules, " ") + g.one("\n", "\n", " \n", "\r\n", "\n\n"))
	}
	return b.String()
}
