package migration

import (
	"slices"
	"strconv"
	"strings"

	"redkeep/internal/speak/keepalivedconf"
)

// facts reads from the command lines of a group's scripts, and from their text, at which port its server is and whether it wants
// a login. Nothing that they hold is repeated but ports.
func (m *maker) facts(g *group) {
	for _, c := range g.commands() {
		ports, password := inArguments(c.Args)
		g.add(ports, password)
	}
	if len(g.ports) > 0 && g.password {
		return
	}
	for _, c := range g.commands() {
		ports, password := inText(string(m.answers.Scripts[c.Args[0]]))
		if len(g.ports) > 0 {
			ports = nil // the command line knows better than a script for several servers
		}
		g.add(ports, password)
	}
}

func (g *group) add(ports []int, password bool) {
	g.password = g.password || password
	for _, p := range ports {
		if !slices.Contains(g.ports, p) {
			g.ports = append(g.ports, p)
		}
	}
}

// commands are all programs that a group's instances run.
func (g *group) commands() []keepalivedconf.Command {
	var all []keepalivedconf.Command
	for _, s := range g.checks() {
		all = append(all, s.Command)
	}
	for _, i := range g.of {
		if i == nil {
			continue
		}
		for _, c := range []*keepalivedconf.Command{i.Notify.Master, i.Notify.Backup, i.Notify.Fault, i.Notify.Stop, i.Notify.Any} {
			if c != nil {
				all = append(all, *c)
			}
		}
	}
	return slices.DeleteFunc(all, func(c keepalivedconf.Command) bool { return len(c.Args) == 0 })
}

// inArguments reads a command line: an argument of -p, or a number that can only be a port.
func inArguments(args []string) (ports []int, password bool) {
	if len(args) >= 3 && args[1] == "-c" { // a shell's
		return inText(args[2])
	}
	for i, a := range args[1:] {
		before := args[i]
		if before == "-a" || before == "--pass" || strings.HasPrefix(a, "--pass=") || strings.HasPrefix(a, "--requirepass") {
			password = true
			continue
		}
		if p := port(a); p > 0 && (before == "-p" || before == "--port" || p >= 1024) {
			ports = append(ports, p)
		}
		if _, after, colon := strings.Cut(a, ":"); colon && port(after) > 0 && strings.Contains(a, ".") {
			ports = append(ports, port(after))
		}
	}
	return ports, password
}

// inText reads a script: what follows -p, slaveof, and a name with port in it, in lines that are no comments.
func inText(text string) (ports []int, password bool) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" \t'\"`();,=", c) })
		lower := strings.ToLower(line)
		password = password || strings.Contains(lower, "redis-cli") && slices.Contains(words, "-a") || strings.Contains(line, "REDISCLI_AUTH")
		for i, w := range words {
			p := port(w)
			if p == 0 || i == 0 {
				continue
			}
			before := strings.ToLower(words[i-1])
			if before == "-p" || before == "--port" || strings.Contains(before, "port") || i > 1 && (strings.EqualFold(words[i-2], "slaveof") || strings.EqualFold(words[i-2], "replicaof")) {
				ports = append(ports, p)
			}
		}
	}
	return ports, password
}

// port reads a number that can be one, else 0.
func port(text string) int {
	if n, err := strconv.ParseUint(text, 10, 16); err == nil {
		return int(n)
	}
	return 0
}

// sleeps reports whether a script waits by the clock.
func sleeps(text []byte) bool {
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "#") && (strings.HasPrefix(line, "sleep ") || strings.Contains(line, ".sleep(") || strings.Contains(line, " sleep ")) {
			return true
		}
	}
	return false
}

// demotes reports whether a script makes a server a replica: it names the command with something else than no one.
func demotes(text string) bool {
	for line := range strings.Lines(text) {
		words := strings.FieldsFunc(strings.ToLower(line), func(c rune) bool { return strings.ContainsRune(" \t\r\n'\"`();,=[]", c) })
		if len(words) > 0 && strings.HasPrefix(words[0], "#") {
			continue
		}
		for i, w := range words {
			if (w == "slaveof" || w == "replicaof") && i+1 < len(words) && words[i+1] != "no" {
				return true
			}
		}
	}
	return false
}
