package keepalived

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"redkeep/internal/act/vip"
	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/keepalivedconf"
)

const whole = `
global_defs {
  vrrp_startup_delay 5
  script_user nobody
}
vrrp_script chk { 
  script "/bin/true"
  weight -20
}
vrrp_track_process redis {
  process redis-server
  weight 10
}
vrrp_sync_group g {
  group {
    a
    b
  }
  track_script {
    chk
  }
}
vrrp_instance a {
  interface eth0
  virtual_router_id 51
  priority 150
  advert_int 2
  unicast_ttl 7
  unicast_src_ip 10.0.0.1
  unicast_peer {
    10.0.0.2
    10.0.0.3 min_ttl 200 max_ttl 254
  }
  virtual_ipaddress {
    10.0.0.100/24
  }
  virtual_ipaddress_excluded {
    fe80::100
    10.0.0.101/24 dev eth1
  }
}
vrrp_instance b {
  interface eth0
  virtual_router_id 52
  check_unicast_src
  nopreempt
  virtual_ipaddress {
    10.0.0.102
  }
  track_script {
    chk weight 5 reverse
  }
  track_process {
    redis
  }
  track_interface {
    eth1 weight 3
  }
}
`

func parsed(t *testing.T, text string) *keepalivedconf.Config {
	t.Helper()
	c, err := keepalivedconf.Parse("keepalived.conf", []byte(text), nil)
	if err != nil {
		t.Log(err) // Warnings and mistakes that do not matter here.
	}
	return c
}

// TestSetup is what the machine is told of a file.
func TestSetup(t *testing.T) {
	c := parsed(t, whole)
	s := setupOf(c)
	a, b := s.Routers[0], s.Routers[1]
	if a.AnySource || !a.MindStrangers || a.Hops != 7 || a.Interval != 2*time.Second || len(a.Peers) != 2 || !reflect.DeepEqual(a.Reach, []vrrp.Reach{{Least: 0, Most: 255}, {Least: 200, Most: 254}}) {
		t.Errorf("a is %+v", a)
	}
	if b.AnySource || b.MindStrangers || b.Hops != 255 || !b.NoPreempt || b.Announce.Refresh != 30*time.Second || b.Announce.LowerRepeat == 0 {
		t.Errorf("b is %+v", b)
	}
	if want := []vrrp.Track{{Name: "interface eth0"}, {Name: "script chk"}}; !reflect.DeepEqual(a.Tracks, want) {
		t.Errorf("a follows %v, want %v", a.Tracks, want)
	}
	want := []vrrp.Track{
		{Name: "interface eth0"}, {Name: "interface eth1", Weight: 3}, {Name: "script chk", Weight: 5, Reverse: true}, {Name: "process redis", Weight: 10},
		{Name: "script chk"},
	}
	if !reflect.DeepEqual(b.Tracks, want) {
		t.Errorf("b follows %v, want %v", b.Tracks, want)
	}
	if len(s.Groups) != 1 || !reflect.DeepEqual(s.Groups[0].Members, []vrrp.ID{"a", "b"}) {
		t.Errorf("groups are %v", s.Groups)
	}
	if d := delay(&c.Global); d != 5*time.Second {
		t.Errorf("it begins after %v", d)
	}
}

// TestALineOfWeightNothing is a line that takes a check's own weight away: what fails is then a fault.
func TestALineOfWeightNothing(t *testing.T) {
	s := setupOf(parsed(t, strings.Replace(whole, "    redis\n", "    redis weight 0\n", 1)))
	if got := s.Routers[1].Tracks[3]; got != (vrrp.Track{Name: "process redis"}) {
		t.Errorf("it follows %+v", got)
	}
}

// TestStrangersAreBelievedWhereTheFileSaysSo, and nowhere else; the instance's word counts more than that for all.
func TestStrangersAreBelievedWhereTheFileSaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		all, own  string
		any, mind bool
	}{
		"nothing is said":    {mind: true},
		"checked":            {own: "check_unicast_src"},
		"all are checked":    {all: "vrrp_check_unicast_src"},
		"off":                {own: "check_unicast_src off", any: true, mind: true},
		"off for all":        {all: "vrrp_check_unicast_src no", any: true, mind: true},
		"off for all but it": {all: "vrrp_check_unicast_src false", own: "check_unicast_src on"},
	} {
		conf := parsed(t, "global_defs {\n"+c.all+"\n}\nvrrp_instance a {\ninterface eth0\nvirtual_router_id 1\nunicast_peer {\n10.0.0.2\n}\n"+c.own+"\n}\n")
		if r := setupOf(conf).Routers[0]; r.AnySource != c.any || r.MindStrangers != c.mind {
			t.Errorf("%s: any %v, mind %v", name, r.AnySource, r.MindStrangers)
		}
	}
}

// TestPlaces is that an address is put on its device; what the advertisements don't tell of nobody is asked for.
func TestPlaces(t *testing.T) {
	c := parsed(t, whole)
	var got []string
	for _, where := range placesOf(&c.Instances[0]) {
		told := ""
		if where.told {
			told = " told"
		}
		got = append(got, where.Addr.String()+" "+where.Dev+told)
	}
	if want := []string{"fe80::100 eth0", "10.0.0.101 eth1", "10.0.0.100 eth0 told"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	devices := devicesOf(c)
	if !reflect.DeepEqual(devices.Devices, []string{"eth0", "eth1"}) || len(devices.Virtual) != 4 {
		t.Errorf("followed are %v", devices)
	}
}

// TestForms is how addresses are put on, as a keepalived does: with the mask, and what else they are written with.
func TestForms(t *testing.T) {
	for line, want := range map[string]vip.Form{
		"10.0.0.100":                                  {},
		"10.0.0.100/32 brd +":                         {},
		"10.0.0.100/24":                               {Bits: 24},
		"10.0.0.100/24 brd + label eth0:1":            {Bits: 24, Broadcast: netip.MustParseAddr("10.0.0.255"), Label: "eth0:1"},
		"10.0.0.100/20 brd +":                         {Bits: 20, Broadcast: netip.MustParseAddr("10.0.15.255")},
		"10.0.0.100/24 brd -":                         {Bits: 24, Broadcast: netip.MustParseAddr("10.0.0.0")},
		"10.0.0.100/16 broadcast 10.0.0.255":          {Bits: 16, Broadcast: netip.MustParseAddr("10.0.0.255")},
		"10.0.0.100/24 scope link noprefixroute":      {Bits: 24, Scope: 253, NoRoute: true},
		"10.0.0.100 scope 0x1e dev eth1 label eth1:x": {Scope: 30, Label: "eth1:x"},
		"fd00::100/64 scope link":                     {},
	} {
		c := parsed(t, "vrrp_instance a {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n"+line+"\n}\n}\n")
		if got := placesOf(&c.Instances[0])[0].Form; got != want {
			t.Errorf("%s: %+v, want %+v", line, got, want)
		}
	}
}

// TestUsers is whom scripts run as: the one whom they name, or the file's.
func TestUsers(t *testing.T) {
	g := &keepalivedconf.Global{ScriptUser: "nobody", ScriptGroup: "nogroup"}
	if c := as(g, keepalivedconf.Command{}); c.User != "nobody" || c.Group != "nogroup" {
		t.Errorf("without a name: %v", c)
	}
	if c := as(g, keepalivedconf.Command{User: "daemon"}); c.User != "daemon" || c.Group != "" {
		t.Errorf("with a name: %v", c)
	}
}

// TestLeftOut is that what is taken and not done is told.
func TestLeftOut(t *testing.T) {
	c := parsed(t, "vrrp_instance a {\ninterface eth0\nvirtual_router_id 1\nold_unicast_checksum\nvirtual_ipaddress {\n10.0.0.100/24 label eth0:1 no_track track_group g\n"+
		"10.0.0.101/24 dev eth0 brd + scope link noprefixroute -nodad\n}\nvirtual_ipaddress_excluded {\nfd00::1/64 scope link home\n}\n}\n")
	got := leftOut(&c.Instances[0])
	want := []string{"no_track, track_group of 10.0.0.100", "home, scope of fd00::1"}
	if len(got) != 3 || !strings.HasPrefix(got[0], "old_unicast_checksum") || !slices.Equal(got[1:], want) {
		t.Errorf("%q", got)
	}
}
