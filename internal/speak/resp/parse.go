package resp

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
)

// ParseRequest finds the first request in what a client has sent so far: a command and its arguments, in either form, an array of bulks
// or inline as typed into telnet; empty ones are skipped, as Redis does. args are appended to words[:0] and, but for inline commands, are parts of b: they are good until b
// changes, and nothing is allocated where words has room. n is how many bytes are done with, blank lines included; where
// args is empty and err is nil, the rest of a request is still to come, and the same bytes from n on are to be shown again
// with more behind them. An error is a *RequestError; there is no next request then.
//
// A request that comes byte by byte is looked at as often, but only the heads of its arguments are: limits.Elements bounds
// what that costs.
func ParseRequest(b []byte, words [][]byte, limits Limits) (args [][]byte, n int, err error) {
	limits = limits.withDefaults()
	for n < len(b) {
		found, used, err := parseRequest(b[n:], words[:0], &limits)
		if err != nil || used == 0 {
			return words[:0], n, err
		}
		if n += used; len(found) > 0 {
			return found, n, nil
		}
	}
	return words[:0], n, nil
}

// parseRequest finds one request, which may be empty, at the start of b; used is 0 where it is not whole.
func parseRequest(b []byte, args [][]byte, limits *Limits) (found [][]byte, used int, err error) {
	count, n, ok := parseHead(b, Array)
	if !ok {
		args, count, n, err = parseStart(b, args, limits)
	}
	if err == nil && count > limits.Elements {
		err = refused("invalid multibulk length", fmt.Errorf("%w: more than %d arguments", ErrTooLarge, limits.Elements))
	}
	if err != nil {
		return args, 0, err
	}
	left := limits.Bytes - n
	for range count {
		arg, took, err := parseArgument(b[n:], left, limits)
		if err != nil || took == 0 {
			return args, 0, err
		}
		args, n, left = append(args, arg), n+took, left-took
	}
	return args, n, nil
}

// parseHead reads the head of an array or a bulk as clients write it, which is most of what there is to be read. ok is false for
// one that is not whole, is written otherwise, or is wrong.
func parseHead(b []byte, kind Kind) (value, n int, ok bool) {
	const digits = 7 // more than any limit has
	if len(b) == 0 || Kind(b[0]) != kind {
		return 0, 0, false
	}
	for n = 1; n < len(b) && n <= digits && '0' <= b[n] && b[n] <= '9'; n++ {
		value = value*10 + int(b[n]-'0')
	}
	if n == 1 || n > 2 && b[1] == '0' || n+1 >= len(b) || b[n] != '\r' || b[n+1] != '\n' {
		return 0, 0, false
	}
	return value, n + 2, true
}

// parseStart reads the first line of any request: a whole inline command into args, or the head of an array, whose count it
// returns; used is 0 where the line is not whole.
func parseStart(b []byte, args [][]byte, limits *Limits) (inline [][]byte, count, used int, err error) {
	line, n, err := parseLine(b, limits)
	if err != nil {
		text := "too big inline request"
		if Kind(b[0]) == Array {
			text = "too big mbulk count string"
		}
		return args, 0, 0, refused(text, err)
	}
	if len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	if len(line) == 0 || Kind(line[0]) != Array {
		args, err = parseInline(line, args, limits)
		return args, 0, n, err
	}
	if count, err = length(line[1:]); err != nil {
		return args, 0, 0, refused("invalid multibulk length", err)
	}
	return args, max(0, count), n, nil
}

// parseLine returns the line at the start of b without its LF, and its length with that: 0 where b has no whole one.
func parseLine(b []byte, limits *Limits) (line []byte, n int, err error) {
	i := bytes.IndexByte(b, '\n')
	switch {
	case i > limits.Line, i < 0 && len(b) > limits.Line:
		return nil, 0, fmt.Errorf("%w: a line longer than %d bytes", ErrTooLarge, limits.Line)
	case i < 0:
		return nil, 0, nil
	default:
		return b[:i], i + 1, nil
	}
}

// parseArgument returns the bulk at the start of b, which may have so many bytes with its head; n is 0 where it is not whole.
func parseArgument(b []byte, left int, limits *Limits) (arg []byte, n int, err error) {
	size, n, ok := parseHead(b, Bulk)
	if !ok {
		if size, n, err = parseLength(b, limits); err != nil || n == 0 {
			return nil, 0, err
		}
	}
	if size > left-n {
		return nil, 0, refused("invalid bulk length", fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limits.Bytes))
	}
	end := n + size
	if len(b) < end+2 {
		return nil, 0, nil
	}
	return b[n:end], end + 2, nil // Redis does not look at the two bytes behind it either
}

// length reads a count or a length as requests have it: -1 for any that is negative. Redis takes those that it would write itself.
func length(b []byte) (int, error) {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || n > math.MaxInt32 || strconv.FormatInt(n, 10) != string(b) {
		return 0, fmt.Errorf("%w: %q is no length", ErrMalformed, clip(b))
	}
	return int(max(n, -1)), nil
}

// parseLength reads the head of a bulk however it is written.
func parseLength(b []byte, limits *Limits) (size, n int, err error) {
	line, n, err := parseLine(b, limits)
	if err == nil && n > 0 && (len(line) == 0 || line[len(line)-1] != '\r') {
		err = fmt.Errorf("%w: a line that ends without CR LF", ErrMalformed)
	}
	if err != nil {
		return 0, 0, refused("too big bulk count string", err)
	}
	if n == 0 {
		return 0, 0, nil
	}
	if Kind(line[0]) != Bulk {
		return 0, 0, refused(fmt.Sprintf("expected '$', got '%c'", line[0]), fmt.Errorf("%w: an argument that is no bulk", ErrMalformed))
	}
	size, err = length(line[1 : len(line)-1])
	if err == nil && size < 0 {
		err = fmt.Errorf("%w: a nil argument", ErrMalformed)
	}
	return size, n, refused("invalid bulk length", err)
}

// parseInline cuts a command as typed.
func parseInline(line []byte, args [][]byte, limits *Limits) ([][]byte, error) {
	words, err := typed(string(line))
	switch {
	case err != nil:
		return args, err
	case len(words) > limits.Elements:
		return args, refused("too big inline request", fmt.Errorf("%w: more than %d arguments", ErrTooLarge, limits.Elements))
	}
	for _, w := range words {
		args = append(args, []byte(w))
	}
	return args, nil
}
