package keepalived

import (
	"slices"
	"strings"

	"redkeep/internal/decide/vrrp"
	"redkeep/internal/speak/keepalivedconf"
)

// setupOf is what the machine is told of a configuration.
func setupOf(c *keepalivedconf.Config) vrrp.Setup {
	var s vrrp.Setup
	for i := range c.Instances {
		s.Routers = append(s.Routers, routerOf(c, &c.Instances[i]))
	}
	for _, g := range c.Groups {
		var ids []vrrp.ID
		for _, name := range g.Instances {
			ids = append(ids, vrrp.ID(name))
		}
		s.Groups = append(s.Groups, vrrp.Group{Members: ids, Weights: g.Weights})
	}
	return s
}

func routerOf(c *keepalivedconf.Config, i *keepalivedconf.Instance) vrrp.Router {
	r := vrrp.Router{
		ID: vrrp.ID(i.Name), Link: i.Interface, Source: i.Source, Version: uint8(i.Version), VRID: uint8(i.VRID), Priority: uint8(i.Priority),
		Interval: i.AdvertInt, NoPreempt: i.NoPreempt, PreemptDelay: i.PreemptDelay,
		DownAdverts: i.DownTimerAdverts, QuietLower: i.LowerNoAdvert, LastWord: i.HigherAdvert, PlainSum: i.PlainChecksum, Group: i.Group,
		AnySource: i.AnySource, MindStrangers: !i.CheckSource, Hops: uint8(i.UnicastTTL),
		Announce: vrrp.Announcing{
			Repeat: i.Announce.Repeat, Again: i.Announce.Delay, LowerRepeat: i.Announce.LowerRepeat, LowerAgain: i.Announce.LowerDelay,
			Refresh: i.Announce.Refresh, RefreshRepeat: i.Announce.RefreshRepeat,
		},
	}
	if i.Announce.Refresh == 0 {
		usual := vrrp.DefaultAnnouncing()
		r.Announce.Refresh, r.Announce.RefreshRepeat = usual.Refresh, usual.RefreshRepeat
	}
	if !i.Password.Empty() {
		r.Auth, r.Secret = vrrp.Password, i.Password
	}
	for _, a := range i.VIPs {
		r.Addresses = append(r.Addresses, a.Prefix.Addr())
	}
	for _, peer := range i.Peers {
		r.Peers = append(r.Peers, peer.Addr)
		r.Reach = append(r.Reach, vrrp.Reach{Least: peer.MinTTL, Most: peer.MaxTTL})
	}
	r.Tracks = tracksOf(c, i)
	return r
}

// tracksOf are the checks of an instance, its own device among them, and those of its group, whose weights count where the group
// says so.
func tracksOf(c *keepalivedconf.Config, i *keepalivedconf.Instance) (all []vrrp.Track) {
	if !i.DontTrackPrimary {
		all = append(all, vrrp.Track{Name: linkName(i.Interface)})
	}
	add := func(list []keepalivedconf.Track, name func(string) string, weights bool) {
		for _, t := range list {
			w := t.Weight
			if !weights {
				w.Value = 0
			}
			all = append(all, vrrp.Track{Name: name(t.Name), Weight: w.Value, Reverse: w.Reverse})
		}
	}
	add(i.Interfaces, linkName, true)
	add(i.Scripts, scriptName, true)
	add(i.Processes, processName, true)
	for _, g := range c.Groups {
		if slices.Contains(g.Instances, i.Name) {
			add(g.Interfaces, linkName, g.Weights)
			add(g.Scripts, scriptName, g.Weights)
			add(g.Processes, processName, g.Weights)
		}
	}
	return all
}

// Checks are of several kinds, and names may be the same.
func linkName(dev string) string     { return "interface " + dev }
func scriptName(name string) string  { return "script " + name }
func processName(name string) string { return "process " + name }

// leftOut is what an instance says and this program does not do, for the log.
func leftOut(i *keepalivedconf.Instance) (all []string) {
	if i.OldChecksum {
		all = append(all, "old_unicast_checksum: routers of before keepalived 1.3.7 are not understood in version 3 and unicast")
	}
	if i.PromoteSecondaries {
		all = append(all, "promote_secondaries: set sysctl net.ipv4.conf."+i.Interface+".promote_secondaries=1, as systemd does")
	}
	for _, a := range slices.Concat(i.VIPs, i.Excluded) {
		words := a.LeftOut
		if a.Prefix.Addr().Is6() {
			for _, one := range [][2]string{{"label", a.Label}, {"scope", a.Scope}, {"brd", a.Broadcast}} {
				if one[1] != "" {
					words = append(slices.Clip(words), one[0])
				}
			}
		}
		if len(words) > 0 {
			all = append(all, strings.Join(words, ", ")+" of "+a.Prefix.Addr().String())
		}
	}
	return all
}
