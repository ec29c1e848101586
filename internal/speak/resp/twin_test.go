package resp

import "fmt"

// ReadRequest is ParseRequest's twin for a stream: another way to read the same grammar, which the parser is held against. It returns
// the next request, never an empty one. Errors are Read's.
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
	n, err := length(line[1:])
	if err != nil {
		return nil, refused("invalid multibulk length", err)
	}
	if n > r.left.elements {
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
	n, err := length(line[1:])
	if err == nil && n < 0 {
		err = fmt.Errorf("%w: a nil argument", ErrMalformed)
	}
	if err != nil {
		return "", refused("invalid bulk length", err)
	}
	if err := r.left.spend(n); err != nil {
		return "", refused("invalid bulk length", err)
	}
	body, err := r.ahead(n)
	if err == nil {
		_, err = r.ahead(2) // whatever they are
	}
	return body, err
}

// ahead returns the next n bytes.
func (r *Reader) ahead(n int) (string, error) {
	for r.w-r.r < n {
		if err := r.fill(); err != nil {
			return "", unexpected(err)
		}
	}
	r.r += n
	return string(r.buf[r.r-n : r.r]), nil
}

// inline reads a command as typed, bounded in its number of words like any other.
func (r *Reader) inline(line string) ([]string, error) {
	args, err := typed(line)
	switch {
	case err != nil:
		return nil, err
	case len(args) > r.left.elements:
		return nil, refused("too big inline request", fmt.Errorf("%w: more than %d arguments", ErrTooLarge, r.limits.Elements))
	default:
		return args, nil
	}
}
