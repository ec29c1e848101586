package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// module is the prefix of our own import paths.
const module = "redkeep/"

// room is one package as the go command lists it. Path is without the module's name.
type room struct {
	Path, ImportPath, Dir, Name        string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Imports, TestImports, XTestImports []string
}

// tree returns every package of the module, listed once for all tests. A run of one test that
// does not ask for it does not pay for it.
var tree = sync.OnceValues(func() ([]room, error) {
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Name,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports", module+"...").Output()
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	var rooms []room
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var r room
		if err := decoder.Decode(&r); errors.Is(err, io.EOF) {
			return rooms, nil
		} else if err != nil {
			return nil, fmt.Errorf("read go list: %w", err)
		}
		r.Path = strings.TrimPrefix(r.ImportPath, module)
		rooms = append(rooms, r)
	}
})

// rooms is tree for a test.
func rooms(t *testing.T) []room {
	t.Helper()
	all, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 5 {
		t.Fatalf("only %d packages were listed", len(all))
	}
	return all
}

// root returns the directory of go.mod.
func root(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatalf("find go.mod: %v", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out)))
}

// source is one parsed file.
type source struct {
	name string
	file *ast.File
}

// parseFiles parses the files named, or a text in the place of the only one (for the checks' own tests).
func parseFiles(t *testing.T, fset *token.FileSet, dir string, names []string, text any) []source {
	t.Helper()
	var sources []source
	for _, name := range names {
		file, err := parser.ParseFile(fset, filepath.Join(dir, name), text, parser.ParseComments)
		if err != nil {
			t.Errorf("parse: %v", err)
			continue
		}
		sources = append(sources, source{name, file})
	}
	return sources
}

// example parses a text as the only file of a package, with the head that every file has.
func example(t *testing.T, fset *token.FileSet, text string) []source {
	t.Helper()
	return parseFiles(t, fset, "", []string{"example.go"}, "package example\n"+text)
}
