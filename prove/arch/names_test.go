package arch

import (
	"slices"
	"strings"
	"testing"
)

// nameless are words for a room that say nothing of what is in it.
var nameless = []string{
	"util", "utils", "common", "helper", "helpers", "manager", "misc", "base", "shared", "lib", "core", "types", "models",
	"interfaces", "pkg",
}

// TestNames wants a noun of the field for each package, in one word, equal to its directory's.
func TestNames(t *testing.T) {
	for _, r := range rooms(t) {
		last := r.Path[strings.LastIndex(r.Path, "/")+1:]
		if slices.Contains(nameless, last) {
			t.Errorf("%s: %q says nothing of what is in it", r.Path, last)
		}
		if r.Name != "main" && r.Name != last && r.Name != "" {
			t.Errorf("%s: the package is called %s", r.Path, r.Name)
		}
		if strings.ToLower(last) != last || strings.ContainsAny(last, "_-") {
			t.Errorf("%s: a room's name is one word in small letters", r.Path)
		}
	}
}
