package keepalived

import (
	"log/slog"
	"testing"

	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/keepalivedconf"
)

// TestWhoIsToldThatARouterStopped is the scripts of one that leaves with the process, or with its part of the file; not those of one that another
// of its name has replaced: they have been told of that one's state.
func TestWhoIsToldThatARouterStopped(t *testing.T) {
	for name, c := range map[string]struct {
		leaving, deleted, given bool
		want                    string
	}{
		"the process leaves":                    {leaving: true, want: "STOP"},
		"it is not in the file any more":        {deleted: true, want: "FAULT"},
		"the same, and notify_deleted is asked": {deleted: true, given: true, want: "DELETED"},
		"another of its name is there":          {},
	} {
		text := "vrrp_instance a {\ninterface eth0\nvirtual_router_id 1\nnotify \"/bin/true own\"\nvirtual_ipaddress {\n10.0.0.100\n}\n"
		if c.given {
			text += "notify_deleted\n"
		}
		conf := parsed(t, text+"}\n")
		log := slog.New(slog.DiscardHandler)
		r := &router{id: "a", log: log, notes: newNotes(log), conf: &conf.Instances[0], deleted: c.deleted}
		p := &process{log: log, conf: &keepalivedconf.Config{}, leaving: c.leaving, routers: map[vrrp.ID]*router{"a": r}}
		p.tellTurned(r, vrrp.Turned{ID: "a", To: vrrp.Stopped, Priority: 100})
		got := ""
		if len(r.notes.next) == 1 {
			got = r.notes.next[0].Args[4]
		}
		if got != c.want {
			t.Errorf("%s: told %q, want %q", name, got, c.want)
		}
	}
}

// TestAGroupIsToldWhenTheLastMemberIsThere is the scripts of a group with one faulty member: they are told FAULT when no member has its address
// any more, and not while one is still on its way.
func TestAGroupIsToldWhenTheLastMemberIsThere(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	member := func(name string) *router {
		return &router{
			id: vrrp.ID(name), log: log, notes: newNotes(log), conf: &keepalivedconf.Instance{Name: name}, state: vrrp.Master,
		}
	}
	g := &syncGroup{
		notes: newNotes(log), told: true, state: vrrp.Master,
		conf: &keepalivedconf.SyncGroup{Name: "G", Instances: []string{"a", "b"}, Notify: keepalivedconf.Notify{Any: &keepalivedconf.Command{Args: []string{"/x"}}}},
	}
	p := &process{
		log: log, conf: &keepalivedconf.Config{}, routers: map[vrrp.ID]*router{"a": member("a"), "b": member("b")}, groups: []*syncGroup{g},
	}
	for _, order := range [][]vrrp.ID{{"b", "a"}, {"a", "b"}} {
		p.onTurned(vrrp.Turned{ID: order[0], To: vrrp.Fault, Priority: 1})
		if len(g.notes.next) > 0 {
			t.Errorf("told %v while %s still is a master", g.notes.next, order[1])
		}
		p.onTurned(vrrp.Turned{ID: order[1], To: vrrp.Fault, Priority: 1})
		if len(g.notes.next) != 1 || g.notes.next[0].Args[3] != "FAULT" {
			t.Errorf("when both are faulty: told %v", g.notes.next)
		}
		for _, id := range order {
			p.onTurned(vrrp.Turned{ID: id, To: vrrp.Master, Priority: 1})
		}
		g.notes.next = nil
	}
}
