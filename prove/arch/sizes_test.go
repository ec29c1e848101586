package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"testing"
)

// The limits of the product's code. Tests are tables more often than not, and have only the second, doubled.
const (
	mostFunction = 70
	mostFile     = 500
)

// excuse is a reason for a long function: a table, or a switch over a closed set. Without the reason it is none.
var excuse = regexp.MustCompile(`//nolint:funlen\s*//\s*\S+\s+\S+`)

// TestSizes keeps functions on a screen and files in a head.
func TestSizes(t *testing.T) {
	var functions, files []int
	for _, r := range rooms(t) {
		fset := token.NewFileSet()
		for _, s := range parseFiles(t, fset, r.Dir, r.GoFiles, nil) {
			n := lines(fset, s.file)
			files = append(files, n)
			if n > mostFile {
				t.Errorf("%s/%s has %d lines, more than %d: give a concept its own file", r.Path, s.name, n, mostFile)
			}
			long, all := longFunctions(fset, s.file)
			functions = append(functions, all...)
			for _, l := range long {
				t.Errorf("%s/%s: %s", r.Path, s.name, l)
			}
		}
		for _, s := range parseFiles(t, fset, r.Dir, append(r.TestGoFiles, r.XTestGoFiles...), nil) {
			if n := lines(fset, s.file); n > 2*mostFile {
				t.Errorf("%s/%s has %d lines, more than %d", r.Path, s.name, n, 2*mostFile)
			}
		}
	}
	t.Logf("functions: %s; files: %s (median / 90 %% / most lines)", spread(functions), spread(files))
}

// lines counts the lines of a file.
func lines(fset *token.FileSet, f *ast.File) int { return fset.File(f.Pos()).LineCount() }

// longFunctions lists the functions over the limit that have no excuse, and all lengths.
func longFunctions(fset *token.FileSet, f *ast.File) (long []string, all []int) {
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		n := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1
		all = append(all, n)
		if n > mostFunction && !excused(fset, f, fn) {
			long = append(long, fmt.Sprintf("%s has %d lines, more than %d: split it by rule, or say why not: //nolint:funlen // reason", fn.Name.Name, n, mostFunction))
		}
	}
	return long, all
}

// excused looks for an excuse in the comment above a function or on its first line.
func excused(fset *token.FileSet, f *ast.File, fn *ast.FuncDecl) bool {
	first := fset.Position(fn.Pos()).Line
	for _, group := range f.Comments {
		for _, c := range group.List {
			at := fset.Position(c.Pos()).Line
			inDoc := fn.Doc != nil && c.Pos() >= fn.Doc.Pos() && c.End() <= fn.Doc.End()
			if (at == first || inDoc) && excuse.MatchString(c.Text) {
				return true
			}
		}
	}
	return false
}

// spread prints how lengths are distributed.
func spread(n []int) string {
	if len(n) == 0 {
		return "none"
	}
	slices.Sort(n)
	return fmt.Sprintf("%d / %d / %d", n[len(n)/2], n[len(n)*9/10], n[len(n)-1])
}

// TestSizesConvicts shows a long function, with and without an excuse.
func TestSizesConvicts(t *testing.T) {
	body := "{\n"
	for range mostFunction {
		body += "_ = 1\n"
	}
	body += "}\n"
	for head, want := range map[string]int{
		"func f() ":                  1,
		"//nolint:funlen\nfunc f() ": 1,
		"//nolint:funlen // a table of all commands\nfunc f() ":        0,
		"// f does.\n//\n//nolint:funlen // one closed set\nfunc f() ": 0,
	} {
		fset := token.NewFileSet()
		long, _ := longFunctions(fset, example(t, fset, head+body)[0].file)
		if len(long) != want {
			t.Errorf("%q: found %v", head, long)
		}
	}
}
