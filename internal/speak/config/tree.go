package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The YAML library is known to this file alone. What it parsed is copied into a tree of the few shapes that a
// configuration needs, each with its place; anchors, aliases, tags and merge keys are refused, since a file that is
// compared among nodes by people should say what it means where it means it.

// kind is the shape of a value.
type kind uint8

const (
	kindNothing kind = iota // a key without a value
	kindText
	kindNumber
	kindBool
	kindMap
	kindList
)

// String returns the word for people.
func (k kind) String() string {
	return [...]string{"nothing", "a text", "a number", "true or false", "a map", "a list"}[k]
}

// place is where something stands in the file, counted from 1.
type place struct{ line, column int }

// value is one node of the tree.
type value struct {
	place
	kind    kind
	text    string  // of a scalar, as written, without its quotes
	entries []entry // of a map
	items   []value // of a list
}

// entry is one key of a map with its value.
type entry struct{ key, value value }

// syntaxError is a file that is not YAML, or YAML beyond what is accepted.
type syntaxError struct {
	place
	what, do string
}

// Error is for tests; people see the Problem made of it.
func (e *syntaxError) Error() string { return e.what }

// maxDepth is far beyond the format's own four levels.
const maxDepth = 12

// maxLine is room for the longest secret and for about a hundred groups on one line.
const maxLine = 8 << 10

// parseTree parses the text. The library has had panics on odd input; one becomes an error here.
func parseTree(text []byte) (root value, err error) {
	defer func() {
		if recover() != nil {
			err = &syntaxError{place{1, 1}, "the file cannot be read as YAML", "look for unusual characters or unbalanced brackets"}
		}
	}()
	if err, deep := tooDeep(text); deep {
		return value{}, err
	}
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return value{}, describe(err)
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			return value{}, &syntaxError{placeOf(doc.Start), "a second document begins here", "keep one document in the file"}
		}
		body = doc.Body
	}
	if body == nil {
		return value{place: place{1, 1}}, nil
	}
	return convert(body, 0)
}

// tooDeep finds where brackets nest deeper than maxDepth, or a line is so long that something else could nest in it
// thousands of times. The library recurses for each level, and a stack that overflows cannot be recovered from; it also
// keeps each value's whole path, so that memory grows with the square of the depth. Brackets inside quotes count too: no
// value of the format needs that many.
func tooDeep(text []byte) (*syntaxError, bool) {
	at, depth := place{1, 0}, 0
	for _, b := range text {
		at.column++
		switch b {
		case '\n', '\r':
			at = place{at.line + 1, 0}
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(depth-1, 0)
		}
		if depth > maxDepth {
			return &syntaxError{at, "too many brackets are open here", "close them, the format needs three at most"}, true
		}
		if at.column > maxLine {
			return &syntaxError{at, "this line is too long", fmt.Sprintf("break it, %d bytes are allowed", maxLine)}, true
		}
	}
	return nil, false
}

// describe turns the library's error into ours. Its excerpt of the file is left out, since the line above may hold the
// secret, and so is whatever it quotes.
func describe(err error) error {
	var positioned interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if !errors.As(err, &positioned) {
		return &syntaxError{place{1, 1}, "the file is not YAML", "look for a missing colon or a wrong indentation"}
	}
	message := strings.ReplaceAll(positioned.GetMessage(), "'\t'", "tab")
	if strings.ContainsAny(message, "\"\n`") {
		message = "unexpected content"
	}
	return &syntaxError{
		placeOf(positioned.GetToken()),
		"not YAML here: " + message,
		"look at this line and the one above for a missing colon, quote or bracket, or a wrong indentation",
	}
}

// placeOf returns a token's place, or the file's start if it has none.
func placeOf(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{max(t.Position.Line, 1), max(t.Position.Column, 1)}
}

// refuse is an error at a node.
func refuse(n ast.Node, what, do string) error {
	return &syntaxError{placeOf(n.GetToken()), what, do}
}

// convert copies a node of the library's tree.
func convert(n ast.Node, depth int) (value, error) {
	if depth > maxDepth {
		return value{}, refuse(n, "nested too deep", "compare the indentation with the example")
	}
	v := value{place: placeOf(n.GetToken())}
	switch n := n.(type) {
	case *ast.NullNode:
		v.kind = kindNothing
	case *ast.BoolNode:
		v.kind, v.text = kindBool, n.Token.Value
	case *ast.IntegerNode:
		v.kind, v.text = kindNumber, n.Token.Value
	case *ast.FloatNode:
		v.kind, v.text = kindNumber, n.Token.Value
	case *ast.InfinityNode:
		v.kind, v.text = kindNumber, n.Token.Value
	case *ast.NanNode:
		v.kind, v.text = kindNumber, n.Token.Value
	case *ast.StringNode:
		v.kind, v.text = kindText, n.Value
	case *ast.LiteralNode:
		v.kind, v.text = kindText, n.Value.Value
	case *ast.MappingNode:
		return convertMap(n, depth)
	case *ast.MappingValueNode:
		return convertMap(&ast.MappingNode{Start: n.Start, Values: []*ast.MappingValueNode{n}}, depth)
	case *ast.SequenceNode:
		return convertList(n, depth)
	default:
		return value{}, refuse(n, fmt.Sprintf("YAML's %s is not accepted here", strings.ToLower(n.Type().String())), "write the value itself")
	}
	return v, nil
}

// convertMap copies a map. Its place is that of its first key, or of its bracket if it has none.
func convertMap(n *ast.MappingNode, depth int) (value, error) {
	v := value{kind: kindMap, place: placeOf(n.Start)}
	for i, pair := range n.Values {
		key, err := convert(pair.Key, depth+1)
		if err != nil {
			return value{}, err
		}
		if key.kind == kindMap || key.kind == kindList {
			return value{}, refuse(pair.Key, "a key must be a word", "write a name before the colon")
		}
		if i == 0 && !n.IsFlowStyle {
			v.place = key.place
		}
		content, err := convert(pair.Value, depth+1)
		if err != nil {
			return value{}, err
		}
		if content.kind == kindNothing {
			content.place = key.place
		}
		v.entries = append(v.entries, entry{key, content})
	}
	return v, nil
}

// convertList copies a list.
func convertList(n *ast.SequenceNode, depth int) (value, error) {
	v := value{kind: kindList, place: placeOf(n.Start)}
	for _, item := range n.Values {
		content, err := convert(item, depth+1)
		if err != nil {
			return value{}, err
		}
		v.items = append(v.items, content)
	}
	return v, nil
}
