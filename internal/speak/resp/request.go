package resp

import (
	"errors"
	"fmt"
	"strings"

	"redkeep/internal/syntax"
)

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

// refused gives an error about the bytes themselves Redis' words; the end of a stream or of time stays what it is.
func refused(text string, err error) error {
	if errors.Is(err, ErrMalformed) || errors.Is(err, ErrTooLarge) {
		return &RequestError{Text: text, cause: err}
	}
	return err
}

// typed cuts a line into words. Redis takes a zero byte for the line's end.
func typed(line string) ([]string, error) {
	line, _, _ = strings.Cut(line, "\x00")
	words, ok := syntax.Split(line)
	if !ok {
		return nil, refused("unbalanced quotes in request", fmt.Errorf("%w: unbalanced quotes", ErrMalformed))
	}
	return words, nil
}
