package need

import "os"

// Test is what is needed of a testing.TB.
type Test interface {
	Helper()
	Skip(args ...any)
	Fatal(args ...any)
}

// checks reports whether this machine checks every change.
func checks() bool { return os.Getenv("REDKEEP_CI") != "" }

// Program ends a test for which a program or a package is not installed.
func Program(t Test, lacking ...any) {
	t.Helper()
	if checks() {
		t.Fatal(append([]any{"REDKEEP_CI is set, and this is not installed: "}, lacking...)...)
	}
	t.Skip(lacking...)
}

// Right ends a test which its user, or the machine, does not allow: a network namespace, another user, a mount. Where every change is
// checked root is allowed all of that; an ordinary user may not be anywhere.
func Right(t Test, lacking ...any) {
	t.Helper()
	if checks() && os.Getuid() == 0 {
		t.Fatal(append([]any{"REDKEEP_CI is set, and root is not allowed this: "}, lacking...)...)
	}
	t.Skip(lacking...)
}
