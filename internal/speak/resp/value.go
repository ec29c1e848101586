package resp

import (
	"math"
	"strconv"
	"strings"
)

// Kind is the first byte of a value on the wire.
type Kind byte

// The kinds of RESP2, then those that RESP3 added.
const (
	Simple  Kind = '+'
	Error   Kind = '-'
	Integer Kind = ':'
	Bulk    Kind = '$'
	Array   Kind = '*'

	Null      Kind = '_'
	Bool      Kind = '#'
	Double    Kind = ','
	BigNumber Kind = '('
	BulkError Kind = '!'
	Verbatim  Kind = '='
	Map       Kind = '%'
	Set       Kind = '~'
	Push      Kind = '>'
	// attribute precedes the value that it describes; the Reader skips it, since no caller wants one.
	attribute Kind = '|'
)

// Value is one reply, whole.
type Value struct {
	// Kind says which of the other fields count.
	Kind Kind
	// Nil marks Null, and the nil forms of Bulk ($-1) and Array (*-1), which are told apart by Kind.
	Nil bool
	// Text is the text of Simple, Error, Bulk, BulkError, Verbatim (without its three-letter format), Double and
	// BigNumber.
	Text string
	// Int is the number of an Integer, and 0 or 1 for a Bool.
	Int int64
	// Elems are the elements of Array, Set and Push; those of Map are key, value, key, value.
	Elems []Value
}

// IsError reports whether the value is an error reply of either form.
func (v Value) IsError() bool { return v.Kind == Error || v.Kind == BulkError }

// Err returns the error reply as a *ReplyError, and nil for every other value.
func (v Value) Err() error {
	if !v.IsError() {
		return nil
	}
	code, _, _ := strings.Cut(v.Text, " ")
	return &ReplyError{Code: code, Text: v.Text}
}

// IsOK reports whether the value is the status OK, alone or with a remark ("OK Already connected to ...").
func (v Value) IsOK() bool {
	return v.Kind == Simple && (v.Text == "OK" || strings.HasPrefix(v.Text, "OK "))
}

// Float returns the number of a Double; NaN when it is none.
func (v Value) Float() float64 {
	f, err := strconv.ParseFloat(v.Text, 64)
	if v.Kind != Double || err != nil {
		return math.NaN()
	}
	return f
}

// Strings returns the texts of the elements; integers are printed in decimal, nils are empty.
func (v Value) Strings() []string {
	out := make([]string, 0, len(v.Elems))
	for _, e := range v.Elems {
		if e.Kind == Integer {
			out = append(out, strconv.FormatInt(e.Int, 10))
			continue
		}
		out = append(out, e.Text)
	}
	return out
}

// ReplyError is an error reply for those who return errors. Code is its first word, such as READONLY or BUSY.
type ReplyError struct {
	Code string
	Text string
}

// Error returns the server's own words.
func (e *ReplyError) Error() string { return e.Text }
