package arch

import (
	"strings"
	"testing"
)

// forbidden says why a package must not import another of ours, or returns "". Paths are without the module's name.
func forbidden(from, to string) string {
	if within(to, "prove") && !within(from, "prove") {
		return "the proofs are imported by nothing"
	}
	if within(to, "cmd") {
		return "nothing imports the command line"
	}
	if within(from, "cmd") || within(from, "prove") {
		return ""
	}
	from, to = strings.TrimPrefix(from, "internal/"), strings.TrimPrefix(to, "internal/")
	floor, name := split(from)
	if sameRoom(from, to) && floor != "decide" {
		return ""
	}
	below, known := floors[floor]
	if !known {
		return "floor " + floor + " has no rule in floors_test.go"
	}
	// The composing rooms of decide may have their siblings; the others only the closed sets.
	composes := name == "group" || strings.HasPrefix(name, "group/") || name == "pair"
	if floor == "decide" && composes && within(to, "decide") {
		return ""
	}
	for _, b := range below {
		if to == b || strings.HasSuffix(b, "/...") && within(to, strings.TrimSuffix(b, "/...")) {
			return ""
		}
	}
	return floor + " may import only " + strings.Join(below, ", ")
}

// floors says what each floor may import, besides a room its own parts. "decide" alone is the closed sets of events and
// actions; "/..." is a floor with all of its rooms. Hands don't know each other; act/lockfile is no system of its own, but
// how a file of theirs is kept from a second process.
var floors = map[string][]string{
	"words":   {},
	"syntax":  {},
	"picture": {"words"},
	"decide":  {"words", "picture", "decide"},
	"speak":   {"words", "syntax", "picture", "decide"},
	"act":     {"words", "syntax", "decide", "speak/...", "act/lockfile"},
	"show":    {"words", "syntax", "picture", "speak/..."},
	"stage":   {"words", "picture", "decide", "speak/...", "act/...", "client/..."},
	"client":  {"words", "picture", "decide", "speak/...", "show/api"},
	"agent":   {"words", "picture", "decide/...", "speak/...", "act/...", "show/..."},
}

// split cuts a path into its floor and the rest.
func split(path string) (floor, name string) {
	floor, name, _ = strings.Cut(path, "/")
	return floor, name
}

// within reports whether a path is the directory or below it.
func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// sameRoom reports whether two packages are parts of one room: act/notify and act/notify/mail, stage and stage/wire.
func sameRoom(a, b string) bool {
	floorA, nameA := split(a)
	floorB, nameB := split(b)
	if floorA != floorB {
		return false
	}
	if floorA == "stage" || floorA == "agent" || floorA == "client" {
		return true
	}
	roomA, _ := split(nameA)
	roomB, _ := split(nameB)
	return roomA == roomB && roomA != ""
}

// TestFloors holds every import of the product against the table. Tests may reach down and sideways, but not to prove.
func TestFloors(t *testing.T) {
	for _, r := range rooms(t) {
		for _, i := range r.Imports {
			if to, ours := strings.CutPrefix(i, module); ours {
				if why := forbidden(r.Path, to); why != "" {
					t.Errorf("%s imports %s: %s", r.Path, to, why)
				}
			}
		}
		for _, i := range append(r.TestImports, r.XTestImports...) {
			if to, ours := strings.CutPrefix(i, module); ours && within(to, "prove") && !within(r.Path, "prove") {
				t.Errorf("the tests of %s import %s: the proofs are imported by nothing", r.Path, to)
			}
		}
	}
}

// TestFloorsConvicts shows what the table refuses, and what it must not.
func TestFloorsConvicts(t *testing.T) {
	for _, refused := range [][2]string{
		{"internal/words", "internal/picture"},
		{"internal/decide", "internal/speak/resp"},
		{"internal/decide/quorum", "internal/decide/rank"},
		{"internal/decide/rank", "internal/act/gate"},
		{"internal/decide", "internal/decide/group"},
		{"internal/speak/resp", "internal/act/redis"},
		{"internal/speak/peermsg", "internal/decide/quorum"},
		{"internal/act/gate", "internal/act/vip"},
		{"internal/act/lockfile", "internal/act/store"},
		{"internal/act/gate", "internal/show/api"},
		{"internal/act/peer", "internal/decide/group"},
		{"internal/show/api", "internal/decide/group"},
		{"internal/show/api", "internal/act/redis"},
		{"internal/show/api", "internal/show/table"},
		{"internal/agent", "internal/stage"},
		{"internal/agent", "prove/judge"},
		{"internal/client", "cmd/redkeep"},
		{"cmd/redkeep", "prove/sim"},
		{"internal/attic/x", "internal/words"},
	} {
		if forbidden(refused[0], refused[1]) == "" {
			t.Errorf("%s may import %s", refused[0], refused[1])
		}
	}
	for _, fine := range [][2]string{
		{"internal/decide/group", "internal/decide/quorum"},
		{"internal/decide/quorum", "internal/decide"},
		{"internal/speak/peermsg", "internal/decide"},
		{"internal/act/notify/mail", "internal/act/notify"},
		{"internal/act/store", "internal/act/lockfile"},
		{"internal/stage", "internal/stage/wire"},
		{"internal/agent", "internal/decide/group"},
		{"prove/sim", "internal/decide/group"},
		{"prove/lab", "prove/judge"},
		{"cmd/redkeep", "internal/agent"},
	} {
		if why := forbidden(fine[0], fine[1]); why != "" {
			t.Errorf("%s may not import %s: %s", fine[0], fine[1], why)
		}
	}
}

// doors says through which rooms a module enters, so that replacing one means changing one place. Tests and prove are
// free. A module without a line here may be imported anywhere; modules.txt still knows it.
var doors = map[string][]string{
	"github.com/spf13/cobra":          {"cmd"},
	"github.com/goccy/go-yaml":        {"internal/speak/config"},
	"github.com/google/nftables":      {"internal/act/gate", "internal/stage"},
	"github.com/mdlayher/netlink":     {"internal/act/gate"},
	"github.com/vishvananda/netlink":  {"internal/act/flows", "internal/act/link", "internal/act/neighbours", "internal/act/vip", "internal/stage"},
	"github.com/google/renameio":      {"internal/act/store", "internal/act/redis"},
	"github.com/coreos/go-systemd":    {"internal/agent", "cmd"},
	"text/template":                   {},
	"html/template":                   {},
	"github.com/redis/go-redis":       {},
	"github.com/google/go-cmp":        {},
	"github.com/rogpeppe/go-internal": {},
	"pgregory.net/rapid":              {},
	"testing":                         {},
}

// TestDoors keeps each outside module in its rooms, and the tests' modules out of the product.
func TestDoors(t *testing.T) {
	for _, r := range rooms(t) {
		if within(r.Path, "prove") {
			continue
		}
		for _, i := range r.Imports {
			for outside, at := range doors {
				if within(i, outside) && !inside(r.Path, at) {
					t.Errorf("%s imports %s, which enters only through %v", r.Path, i, at)
				}
			}
		}
	}
}

// inside reports whether a path is in one of the directories.
func inside(path string, dirs []string) bool {
	for _, d := range dirs {
		if within(path, d) {
			return true
		}
	}
	return false
}
