package sentinelconf

import (
	"strings"

	"redkeep/internal/syntax"
)

// Arguments turns what follows the file's name on the command line into lines for Source.Options: --port 1234 is port
// 1234, and each word that begins with two dashes begins a line, unless the one before still wants a value. stdin says that
// a lone - asks for lines from standard input too, as the first or the last argument.
func Arguments(args []string) (options string, stdin bool) {
	if len(args) > 0 && args[0] == "-" {
		args, stdin = args[1:], true
	}
	if n := len(args); n > 0 && args[n-1] == "-" {
		args, stdin = args[:n-1], true
	}
	var b []byte
	wants := false
	for i, arg := range args {
		if wants || !strings.HasPrefix(arg, "--") {
			b = append(syntax.AppendQuoted(b, arg), ' ')
			wants = false
			continue
		}
		if len(b) > 0 {
			b = append(b, '\n')
		}
		b = append(append(b, arg[2:]...), ' ')
		words, ok := syntax.Split(arg)
		wants = ok && len(words) == 1
		// These two may stand without a value.
		if alone := i+1 == len(args) || strings.HasPrefix(args[i+1], "--"); wants && alone {
			switch strings.ToLower(arg) {
			case "--save":
				b, wants = append(b, '"', '"'), false
			case "--sentinel":
				wants = false
			}
		}
	}
	return string(b), stdin
}
