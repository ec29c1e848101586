package resp

import (
	"errors"
	"fmt"
	"strconv"
)

// ReadRequest returns the next request: a command and its arguments, never empty. Both forms are read, an array of
// bulks and an inline command as typed into telnet; empty requests are skipped, as Redis does. Errors are Read's.
func (r *Reader) ReadRequest() ([]string, error) {
	for {
		args, err := r.request()
		if err != nil {
			return nil, fmt.Errorf("read request: %w", err)
		}
		if len(args) > 0 {
			return args, nil
		}
	}
}

// RequestError is the error about bytes that are no request, or one beyond the limits. The stream has no next request.
type RequestError struct {
	// Text is what Redis tells a client about it, behind "Protocol error: ".
	Text  string
	cause error
}

// Error returns the words for a log.
func (e *RequestError) Error() string { return e.Text + ": " + e.cause.Error() }

// Unwrap returns an error that wraps ErrMalformed or ErrTooLarge.
func (e *RequestError) Unwrap() error { return e.cause }

// request reads one request, which may be empty.
func (r *Reader) request() ([]string, error) {
	r.renew()
	line, err := r.rawLine()
	if err != nil {
		text := "too big inline request"
		if r.r < r.w && Kind(r.buf[r.r]) == Array {
			text = "too big mbulk count string"
		}
		return nil, refused(text, err)
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) == 0 || Kind(line[0]) != Array {
		return r.inline(string(line))
	}
	n, err := number(line[1:])
	if err != nil {
		return nil, refused("invalid multibulk length", err)
	}
	if n > r.elements {
		return nil, refused("invalid multibulk length", fmt.Errorf("%w: more than %d arguments", ErrTooLarge, r.limits.Elements))
	}
	args := make([]string, 0, min(max(n, 0), 16))
	for range n {
		arg, err := r.argument()
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	return args, nil
}

// refused gives an error about the bytes themselves Redis' words; the end of a stream or of time stays what it is.
func refused(text string, err error) error {
	if errors.Is(err, ErrMalformed) || errors.Is(err, ErrTooLarge) {
		return &RequestError{Text: text, cause: err}
	}
	return err
}

// argument reads one bulk of a request.
func (r *Reader) argument() (string, error) {
	line, err := r.line()
	if err != nil {
		return "", refused("too big bulk count string", unexpected(err))
	}
	if len(line) == 0 || Kind(line[0]) != Bulk {
		got := byte('\r')
		if len(line) > 0 {
			got = line[0]
		}
		return "", refused(fmt.Sprintf("expected '$', got '%c'", got), fmt.Errorf("%w: an argument that is no bulk", ErrMalformed))
	}
	n, err := number(line[1:])
	if err == nil && n < 0 {
		err = fmt.Errorf("%w: a nil argument", ErrMalformed)
	}
	if err != nil {
		return "", refused("invalid bulk length", err)
	}
	body, err := r.body(n)
	return string(body), refused("invalid bulk length", err)
}

// inline reads a command as typed, bounded in its number of words like any other.
func (r *Reader) inline(line string) ([]string, error) {
	args, err := SplitLine(line)
	switch {
	case err != nil:
		return nil, refused("unbalanced quotes in request", err)
	case len(args) > r.elements:
		return nil, refused("too big inline request", fmt.Errorf("%w: more than %d arguments", ErrTooLarge, r.limits.Elements))
	default:
		return args, nil
	}
}

// SplitLine cuts a line into words as Redis does for inline commands and for the lines of redis.conf: words in double
// quotes have escapes (\n \r \t \b \a \xHH), words in single quotes only \', and a closing quote ends its word.
func SplitLine(line string) ([]string, error) {
	var words []string
	for i := 0; ; {
		for i < len(line) && isSpace(line[i]) {
			i++
		}
		if i == len(line) {
			return words, nil
		}
		word, next, ok := splitWord(line, i)
		if !ok {
			return nil, fmt.Errorf("%w: unbalanced quotes", ErrMalformed)
		}
		words = append(words, word)
		i = next
	}
}

// splitWord reads the word that starts at i, and returns where the next one may start.
func splitWord(line string, i int) (word string, next int, ok bool) {
	var out []byte
	for i < len(line) && !isSpace(line[i]) {
		c := line[i]
		if c != '"' && c != '\'' {
			out = append(out, c)
			i++
			continue
		}
		out, i, ok = quoted(line, i+1, c, out)
		if !ok || i < len(line) && !isSpace(line[i]) {
			return "", 0, false
		}
	}
	return string(out), i, true
}

// quoted appends the text from i to the closing quote, and returns the index behind that.
func quoted(line string, i int, quote byte, out []byte) ([]byte, int, bool) {
	for i < len(line) {
		c := line[i]
		switch {
		case c == quote:
			return out, i + 1, true
		case c == '\\' && i+1 < len(line) && quote == '"':
			b, n := escape(line[i+1:])
			out, i = append(out, b), i+1+n
		case c == '\\' && i+1 < len(line) && line[i+1] == '\'':
			out, i = append(out, '\''), i+2
		default:
			out, i = append(out, c), i+1
		}
	}
	return out, i, false
}

// escape returns the byte that the escape behind a backslash stands for, and the escape's length.
func escape(s string) (b byte, n int) {
	if s[0] == 'x' && len(s) >= 3 {
		if v, err := strconv.ParseUint(s[1:3], 16, 8); err == nil {
			return byte(v), 3
		}
	}
	switch s[0] {
	case 'n':
		return '\n', 1
	case 'r':
		return '\r', 1
	case 't':
		return '\t', 1
	case 'b':
		return '\b', 1
	case 'a':
		return '\a', 1
	default:
		return s[0], 1
	}
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' || c == 0 }
