package sentinel

import (
	"bytes"
	"strings"
)

// resolve finds what a request asks for. args are the words after the names; problem is an error's text.
func (d *dialect) resolve(request [][]byte, before *memory) (found *command, args [][]byte, problem string) {
	found, names := before.recall(request)
	if found == nil {
		if found = lookUp(d.typed, request[0]); found == nil {
			return nil, nil, unknownCommand(texts(request))
		}
		if names = 1; found.parts != nil && len(request) > 1 {
			names = 2
			part := lookUp(found.parts, request[1])
			if part == nil {
				return found, nil, "ERR unknown subcommand '" + short(string(request[1])) + "'. Try " + strings.ToUpper(string(request[0])) + " HELP."
			}
			found = part
		}
		before.keep(request[:names], found)
	}
	if !found.takes(len(request)) {
		return found, nil, wrongArity(found)
	}
	return found, request[names:], ""
}

// memory is the command that was asked for last. Most clients ask for the same again and again, and all for the same few.
type memory struct {
	found *command
	names [2][]byte // of the command as they were typed; the second is empty where it has one
}

// recall returns the last command and how many words its names are, if the request has the same.
func (m *memory) recall(request [][]byte) (found *command, names int) {
	switch {
	case m.found == nil || !bytes.Equal(request[0], m.names[0]):
		return nil, 0
	case m.found.container == "":
		return m.found, 1
	case len(request) > 1 && bytes.Equal(request[1], m.names[1]):
		return m.found, 2
	default:
		return nil, 0
	}
}

// keep remembers a command. A container alone is none: its names may have one more word.
func (m *memory) keep(names [][]byte, found *command) {
	m.found = nil
	if found.parts != nil {
		return
	}
	m.found = found
	for i, name := range names {
		m.names[i] = append(m.names[i][:0], name...)
	}
}

// longestName is more than the longest name has that a command has of its own.
const longestName = 32

// lookUp finds a command by its name in any case, without taking memory.
func lookUp(in map[string]*command, word []byte) *command {
	var lower [longestName]byte
	if len(word) > len(lower) {
		return in[strings.ToLower(string(word))] // a command may be renamed to anything
	}
	for i, b := range word {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		lower[i] = b
	}
	return in[string(lower[:len(word)])]
}
