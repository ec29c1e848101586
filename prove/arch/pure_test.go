package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pureFloors are where a value goes in and a value comes out, and nothing else happens.
var pureFloors = []string{"internal/words", "internal/syntax", "internal/picture", "internal/decide", "internal/speak"}

// impure are the standard packages that reach outside, wait, or share; below each one they are meant too, but for the
// exceptions.
var (
	impure = []string{
		"os", "net", "sync", "context", "log", "syscall", "unsafe", "runtime", "crypto/rand", "math/rand",
		"golang.org/x/sys", "golang.org/x/net", "testing",
	}
	harmless = []string{"net/netip", "net/url", "math/rand/v2"}
)

// clocks are what package time has besides values.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// seeded are the functions of math/rand/v2 that make a source out of a seed; all others draw from the global one.
var seeded = []string{"New", "NewPCG", "NewChaCha8", "NewZipf", "Rand", "Source", "PCG", "ChaCha8", "Zipf"}

// TestPure holds the pure floors to it.
func TestPure(t *testing.T) {
	checked := 0
	for _, r := range rooms(t) {
		if !inside(r.Path, pureFloors) {
			continue
		}
		checked++
		fset := token.NewFileSet()
		for _, f := range impurities(fset, parseFiles(t, fset, r.Dir, r.GoFiles, nil)) {
			t.Errorf("%s: %s", r.Path, f)
		}
	}
	if checked == 0 {
		t.Error("no pure package was found")
	}
}

// impurities lists what a package does besides computing.
func impurities(fset *token.FileSet, sources []source) []string {
	var found []string
	say := func(at ast.Node, format string, args ...any) {
		p := fset.Position(at.Pos())
		found = append(found, fmt.Sprintf("%s:%d: %s", p.Filename, p.Line, fmt.Sprintf(format, args...)))
	}
	for _, s := range sources {
		for _, i := range s.file.Imports {
			path, _ := strconv.Unquote(i.Path.Value)
			if inside(path, impure) && !inside(path, harmless) {
				say(i, "imports %s", path)
			}
			if i.Name != nil && i.Name.Name == "." {
				say(i, "imports %s into its own names", path)
			}
		}
	}
	info := resolve(fset, sources)
	for _, s := range sources {
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				say(n, "starts a goroutine")
			case *ast.SelectorExpr:
				if why := outsideCall(info, n); why != "" {
					say(n, "%s", why)
				}
			case *ast.AssignStmt:
				for _, left := range n.Lhs {
					if v := packageVariable(info, left); v != "" && n.Tok != token.DEFINE {
						say(n, "assigns to package variable %s", v)
					}
				}
			case *ast.IncDecStmt:
				if v := packageVariable(info, n.X); v != "" {
					say(n, "assigns to package variable %s", v)
				}
			case *ast.UnaryExpr:
				if v := packageVariable(info, n.X); v != "" && n.Op == token.AND {
					say(n, "hands out the address of package variable %s", v)
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "delete" || f.Name == "clear") && len(n.Args) > 0 {
					if v := packageVariable(info, n.Args[0]); v != "" {
						say(n, "empties package variable %s", v)
					}
				}
			}
			return true
		})
	}
	return found
}

// resolve finds out which identifier means what, as far as one package by itself can say: what others declare stays
// unknown, and the errors that follow from it don't matter here.
func resolve(fset *token.FileSet, sources []source) *types.Info {
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	var files []*ast.File
	for _, s := range sources {
		files = append(files, s.file)
	}
	if len(files) == 0 {
		return info
	}
	checker := types.Config{Error: func(error) {}, Importer: nobody{}}
	_, _ = checker.Check("example", fset, files, info)
	return info
}

// nobody imports empty packages that have nothing but their names.
type nobody struct{}

// Import takes the name from the path, before a major version.
func (nobody) Import(path string) (*types.Package, error) {
	parts := strings.Split(path, "/")
	name := parts[len(parts)-1]
	if len(parts) > 1 && len(name) > 1 && name[0] == 'v' && strings.Trim(name[1:], "0123456789") == "" {
		name = parts[len(parts)-2]
	}
	p := types.NewPackage(path, name)
	p.MarkComplete()
	return p, nil
}

// outsideCall says what is wrong with using a name of another package, or returns "".
func outsideCall(info *types.Info, s *ast.SelectorExpr) string {
	id, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	pkg, ok := info.Uses[id].(*types.PkgName)
	if !ok {
		return ""
	}
	switch path := pkg.Imported().Path(); {
	case path == "time" && slices.Contains(clocks, s.Sel.Name):
		return "reads the clock: time." + s.Sel.Name
	case path == "math/rand/v2" && !slices.Contains(seeded, s.Sel.Name):
		return "draws from the global source: rand." + s.Sel.Name
	}
	return ""
}

// packageVariable returns the name of the package-level variable that an expression is, or is a part of.
func packageVariable(info *types.Info, e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.Ident:
			v, ok := info.Uses[x].(*types.Var)
			if ok && v.Parent() == v.Pkg().Scope() {
				return v.Name()
			}
			return ""
		default:
			return ""
		}
	}
}

// TestPureConvicts shows each impurity to the check, and what only looks like one.
func TestPureConvicts(t *testing.T) {
	for _, guilty := range []string{
		`import "os"; var x = os.Args`,
		`import "net"; func f() { net.Dial("tcp", "") }`,
		`import "sync/atomic"; var x atomic.Int64`,
		`import "log/slog"; func f() { slog.Info("") }`,
		`import "time"; func f() int { return time.Now().Year() }`,
		`import clock "time"; func f() { clock.Sleep(1) }`,
		`import . "time"; func f() { Sleep(1) }`,
		`import "math/rand/v2"; func f() int { return rand.IntN(3) }`,
		`func f() { go f() }`,
		`var n int; func f() { n = 1 }`,
		`var n int; func f() { n++ }`,
		`var m = map[int]int{}; func f() { m[1] = 2 }`,
		`var m = map[int]int{}; func f() { delete(m, 1) }`,
		`var s struct{ x []int }; func f() { s.x[0] += 2 }`,
		`var n int; func f() *int { return &n }`,
	} {
		fset := token.NewFileSet()
		if found := impurities(fset, example(t, fset, guilty)); len(found) == 0 {
			t.Errorf("not found: %s", guilty)
		}
	}
	for _, innocent := range []string{
		`import "time"; func f(d time.Duration) string { return d.String() }`,
		`import "net/netip"; func f(a netip.Addr) bool { return a.Is4() }`,
		`import "math/rand/v2"; func f() int { return rand.New(rand.NewPCG(1, 2)).IntN(3) }`,
		`var n int; func f() { n := 1; n++; _ = n }`,
		`var words = [...]string{"a"}; func f(i int) string { return words[i] }`,
		`type time struct{ Now int }; func f(t time) int { return t.Now }`,
	} {
		fset := token.NewFileSet()
		if found := impurities(fset, example(t, fset, innocent)); len(found) != 0 {
			t.Errorf("wrongly found: %s", strings.Join(found, "; "))
		}
	}
}
