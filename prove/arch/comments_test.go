package arch

import (
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// leastSentences is what the four parts of a package comment need: what the room is for, what it does not do, who calls
// it from where, where its rule comes from.
const leastSentences = 3

// longestFirst is the most bytes of the first sentence, which a listing of the tree shows.
const longestFirst = 150

// TestComments wants a package comment in every room's doc.go.
func TestComments(t *testing.T) {
	for _, r := range rooms(t) {
		if len(r.GoFiles) == 0 && len(r.TestGoFiles) == 0 {
			continue
		}
		if !slices.Contains(r.GoFiles, "doc.go") {
			t.Errorf("%s: has no doc.go", r.Path)
			continue
		}
		fset := token.NewFileSet()
		for _, s := range parseFiles(t, fset, r.Dir, []string{"doc.go"}, nil) {
			for _, f := range shortcomings(r.Name, s.file.Doc.Text()) {
				t.Errorf("%s/doc.go: %s", r.Path, f)
			}
		}
	}
}

// shortcomings says what a package comment lacks.
func shortcomings(name, comment string) []string {
	var found []string
	opening := "Package " + name + " "
	if name == "main" {
		opening = "Command "
	}
	if !strings.HasPrefix(comment, opening) {
		found = append(found, "does not begin with "+opening)
	}
	if first := ends.FindStringIndex(comment); first != nil && first[0] > longestFirst {
		found = append(found, "the first sentence is too long for a listing of the tree")
	}
	if n := sentences(comment); n < leastSentences {
		found = append(found, "has too few sentences to say what the room is for, what it does not do and who calls it")
	}
	return found
}

// ends is a full stop, colon or question mark at a sentence's end.
var ends = regexp.MustCompile(`[.?!:](\s|$)`)

// sentences counts.
func sentences(comment string) int { return len(ends.FindAllString(comment, -1)) }

// TestCommentsConvicts shows comments that say too little.
func TestCommentsConvicts(t *testing.T) {
	good := "Package gate opens and shuts the kernel's packet filter.\n\nIt has no opinion. The agent's hand calls it.\n"
	if found := shortcomings("gate", good); len(found) != 0 {
		t.Errorf("wrongly found: %v", found)
	}
	for _, bad := range []string{
		"",
		"Package gate opens.",
		"Package gates opens. It has no opinion. The agent calls it.\n",
		"Package gate opens " + strings.Repeat("and opens ", 15) + "a gate. It has no opinion. The agent calls it.\n",
	} {
		if len(shortcomings("gate", bad)) == 0 {
			t.Errorf("not found: %q", bad)
		}
	}
}
