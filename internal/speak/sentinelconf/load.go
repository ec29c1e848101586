package sentinelconf

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"redkeep/internal/syntax"
)

// Source is all that a Sentinel reads when it starts.
type Source struct {
	// File is the text of sentinel.conf, Stdin what came from standard input, and Options are those of the command line, as
	// Arguments makes lines of them. They count as one text, in this order.
	File, Stdin []byte
	Options     string
	// Dir is the absolute path of the working directory.
	Dir string
}

// Machine is what reading needs of the host. Paths are as the lines have them: relative ones begin at the working directory
// as the last Enter left it.
type Machine interface {
	// Read returns the text that an include line names. A path with *, ? or [ is a pattern for any number of files, whose
	// texts follow each other.
	Read(path string) ([]byte, error)
	// Enter changes the working directory and returns its absolute path. Its error is shown as it is: the bare
	// system's own, as "No such file or directory".
	Enter(dir string) (string, error)
	// Log opens the log file for appending, to see whether it can be. Its error is shown as Enter's.
	Log(path string) error
	// Executable reports whether a script may be run.
	Executable(path string) bool
	// User looks at the rules of one user, and returns the place of the bad one with what is wrong with it.
	User(name string, rules []string) (at int, err error)
}

// User is one of those that may log in, with the rules as they were written.
type User struct {
	Name string
	// Rules may hold a password.
	Rules []string
}

// Conf is what a Sentinel starts with.
type Conf struct {
	*State
	*Settings
	Users []User
}

// MaxConf is the most bytes of all that a Sentinel starts with: room for some eighty thousand masters.
const MaxConf = 64 << 20

// deepest is how far include lines lead, so that a file that includes itself ends.
const deepest = 16

// mostIncluded is how many files may be included in all.
const mostIncluded = 1000

// errDepth ends includes that would not.
var errDepth = errors.New("too many files include each other; leave one include out")

// loader reads what a Sentinel starts with, up to the first thing that is wrong.
type loader struct {
	machine  Machine
	settings *Settings
	users    []User
	queue    []queued
	// depth and included count the files that are being read, and those that have been.
	depth, included int
}

// Load reads what a Sentinel starts with, as redis-sentinel 7.0 does: directives at once, then sentinel's own lines in three
// turns. The error is a *Refusal, or says which included file can't be read. Replicas that are in the file twice count
// once: redis-sentinel has been seen to write such a file, and then to refuse it.
func Load(src Source, machine Machine) (*Conf, error) {
	l := &loader{machine: machine, settings: newSettings(src.Dir)}
	if n := len(src.File) + len(src.Stdin) + len(src.Options); n > MaxConf {
		return nil, &Refusal{Reason: fmt.Sprintf("the file has more than %d MiB", MaxConf>>20)}
	}
	text := append(bytes.Clone(src.File), src.Stdin...)
	if src.Options != "" {
		text = append(append(text, '\n'), src.Options...)
	}
	if err := l.text(string(text)); err != nil {
		return nil, err
	}
	l.settings.finish()
	r := newReader("sentinel.conf")
	r.executable = machine.Executable
	r.statements(l.queue, 1)
	if len(r.problems) > 0 {
		p := r.problems[0]
		return nil, &Refusal{Line: p.Line, Reason: p.reason, text: hide(p.raw)}
	}
	return &Conf{State: &r.State, Settings: l.settings, Users: l.users}, nil
}

// text reads one file with those that it includes, and then looks at what must hold for all of its lines.
func (l *loader) text(text string) error {
	for i, raw := range strings.Split(text, "\n") {
		raw = strings.Trim(raw, " \t\r\n")
		if raw == "" || raw[0] == '#' {
			continue
		}
		why, err := l.line(i+1, raw)
		if err != nil {
			return err
		}
		if why != "" {
			return &Refusal{Line: i + 1, Reason: string(why), text: hide(raw)}
		}
	}
	if path := l.settings.value("logfile"); path != "" {
		if err := l.machine.Log(path); err != nil {
			return &Refusal{Reason: "Can't open the log file: " + err.Error()}
		}
	}
	if l.settings.value("cluster-enabled") == "yes" && l.settings.value("replicaof") != "" {
		return &Refusal{Reason: "replicaof directive not allowed in cluster mode"}
	}
	return nil
}

// line reads one line; err is of what is no fault of the line's.
func (l *loader) line(at int, raw string) (why refusal, err error) {
	if strings.IndexByte(raw, 0) >= 0 {
		return "There is a zero byte in this line", nil
	}
	words, ok := syntax.Split(raw)
	if !ok {
		return "Unbalanced quotes in configuration line", nil
	}
	if len(words) == 0 {
		return "", nil
	}
	name := strings.ToLower(words[0])
	if i := directiveAt(name); i >= 0 {
		return l.directive(i, words[1:]), nil
	}
	switch {
	case name == "include" && len(words) == 2:
		return "", l.include(words[1])
	case name == "rename-command" && len(words) == 3:
		return l.settings.rename(words[1], words[2]), nil
	case name == "user" && len(words) >= 2:
		return l.user(words), nil
	case name == "sentinel":
		l.queue = append(l.queue, queued{at, raw, words})
		return "", nil
	case name == "loadmodule" && len(words) >= 2, len(words) == 2 && outdated(name):
		return "", nil
	case strings.Contains(name, "."):
		if len(words) < 2 {
			return "Module config specified without value", nil
		}
		return "", nil
	}
	return "Bad directive or wrong number of arguments", nil
}

// outdated reports whether Redis passes over a directive.
func outdated(name string) bool {
	return name == "list-max-ziplist-entries" || name == "list-max-ziplist-value" || name == "lua-replicate-commands"
}

// directive takes a value, and changes the working directory where that is asked for.
func (l *loader) directive(i int, words []string) refusal {
	d := directives[i]
	if d.kind != kindDirectory {
		text, why := d.take(words, l.settings.texts[i])
		if why == "" {
			l.settings.texts[i] = text
		}
		return why
	}
	if len(words) != 1 {
		return "wrong number of arguments"
	}
	dir, err := l.machine.Enter(words[0])
	if err != nil {
		return refusal(err.Error())
	}
	l.settings.texts[i] = syntax.Quote(dir)
	return ""
}

// include reads another file in the place of the line.
func (l *loader) include(path string) error {
	if l.depth == deepest || l.included == mostIncluded {
		return fmt.Errorf("open config file '%s': %w", path, errDepth)
	}
	text, err := l.machine.Read(path)
	if err != nil {
		return fmt.Errorf("open config file '%s': %w", path, err)
	}
	if len(text) > MaxConf {
		return &Refusal{Reason: fmt.Sprintf("an included file has more than %d MiB", MaxConf>>20)}
	}
	l.included++
	l.depth++
	defer func() { l.depth-- }()
	return l.text(string(text))
}

// user takes a user, whose rules it has looked at.
func (l *loader) user(words []string) refusal {
	for _, u := range l.users {
		if u.Name == words[1] {
			return refusal("Error in user declaration '" + u.Name + "': Duplicate user found. A user can only be defined once in config files")
		}
	}
	u := User{words[1], words[2:]}
	if at, err := l.machine.User(u.Name, u.Rules); err != nil {
		// redis-sentinel counts the rules and shows the word of the line that has that number, which is another.
		shown := words[min(max(at, 0), len(words)-1)]
		if strings.ContainsAny(shown[:min(1, len(shown))], "<>#!") {
			shown = shown[:1] + "***" // a password
		}
		return refusal("Error in user declaration '" + shown + "': " + err.Error())
	}
	l.users = append(l.users, u)
	return ""
}
