package resp

import "fmt"

// ParseValue finds the first value in what a server has sent so far, of the kinds of RESP2. n is how many bytes it takes; 0 without
// an error says that the rest of it is still to come. Its texts are copies. An error says that there is no next value either.
func ParseValue(b []byte, limits Limits) (v Value, n int, err error) {
	limits = limits.withDefaults()
	return parseValue(b, &limits, 0)
}

func parseValue(b []byte, limits *Limits, depth int) (v Value, n int, err error) {
	line, n, err := parseLine(b, limits)
	if err != nil || n == 0 {
		return Value{}, 0, err
	}
	if len(line) < 2 || line[len(line)-1] != '\r' {
		return Value{}, 0, fmt.Errorf("%w: a line that ends without CR LF, or has nothing in it", ErrMalformed)
	}
	kind, rest := Kind(line[0]), line[1:len(line)-1]
	switch kind {
	case Simple, Error:
		return Value{Kind: kind, Text: status(rest)}, n, nil
	case Integer:
		v, err = scalar(kind, rest)
		return v, n, err
	case Bulk:
		return parseText(b, rest, n, limits)
	case Array:
		return parseArray(b, rest, n, limits, depth)
	default:
		return Value{}, 0, fmt.Errorf("%w: a value can't start with %q", ErrMalformed, line[0])
	}
}

// parseText reads the bytes of a bulk, whose head took n bytes of b.
func parseText(b, length []byte, n int, limits *Limits) (Value, int, error) {
	size, err := number(length)
	switch {
	case err != nil:
		return Value{}, 0, err
	case size < 0:
		return Value{Kind: Bulk, Nil: true}, n, nil
	case size > limits.Bytes:
		return Value{}, 0, fmt.Errorf("%w: a bulk of %d bytes", ErrTooLarge, size)
	case len(b) < n+size+2:
		return Value{}, 0, nil
	case b[n+size] != '\r' || b[n+size+1] != '\n':
		return Value{}, 0, fmt.Errorf("%w: no CR LF behind a bulk", ErrMalformed)
	}
	return Value{Kind: Bulk, Text: string(b[n : n+size])}, n + size + 2, nil
}

// parseArray reads the elements of an array, whose head took n bytes of b.
func parseArray(b, count []byte, n int, limits *Limits, depth int) (Value, int, error) {
	elements, err := number(count)
	switch {
	case err != nil:
		return Value{}, 0, err
	case elements < 0:
		return Value{Kind: Array, Nil: true}, n, nil
	case elements > limits.Elements || depth >= limits.Depth:
		return Value{}, 0, fmt.Errorf("%w: %d elements, %d arrays in each other", ErrTooLarge, elements, depth+1)
	}
	all := make([]Value, 0, min(elements, 16))
	for range elements {
		e, took, err := parseValue(b[n:], limits, depth+1)
		if err != nil || took == 0 {
			return Value{}, 0, err
		}
		all, n = append(all, e), n+took
	}
	return Value{Kind: Array, Elems: all}, n, nil
}

// status is the text of a line. Those that come again and again take no memory.
func status(text []byte) string {
	switch string(text) {
	case "OK":
		return "OK"
	case "PONG":
		return "PONG"
	case "QUEUED":
		return "QUEUED"
	}
	return string(text)
}
