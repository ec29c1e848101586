package migration

import (
	"net/netip"
	"slices"

	"redkeep/internal/speak/keepalivedconf"
)

// host is one node of the new file.
type host struct {
	name string
	// addr is invalid where nobody said it.
	addr netip.Addr
	// config is its file; nil for a host of which only the address is known.
	config *keepalivedconf.Config
}

// own is the address that a file has for its host.
func own(c *keepalivedconf.Config) netip.Addr {
	for _, i := range c.Instances {
		if i.Source.IsValid() && i.Source.IsGlobalUnicast() {
			return i.Source
		}
	}
	return netip.Addr{}
}

// hostsOf lists the hosts: each file's, the peers that files name, and those that a person named.
func (m *maker) hostsOf() []*host {
	var hosts []*host
	for _, c := range m.configs {
		hosts = append(hosts, &host{addr: own(c), config: c})
	}
	at := func(a netip.Addr) *host {
		for _, h := range hosts {
			if h.addr == a {
				return h
			}
		}
		return nil
	}
	for _, n := range m.answers.Nodes {
		a, err := netip.ParseAddr(n.Addr)
		if err != nil {
			continue
		}
		h := at(a.Unmap())
		if h == nil {
			h = at(netip.Addr{}) // the first whose file doesn't say its address
		}
		if h == nil {
			h = &host{}
			hosts = append(hosts, h)
		}
		h.name, h.addr = n.Name, a.Unmap()
	}
	for _, p := range m.peers() {
		if at(p) != nil {
			continue
		}
		// Two files that are each other's peers: the one whose own address is not known is the other's.
		switch may := mayHave(hosts, p); len(may) {
		case 0:
			hosts = append(hosts, &host{addr: p})
		case 1:
			may[0].addr = p
		}
	}
	if len(hosts) == 1 {
		hosts = append(hosts, &host{})
	}
	nameAll(hosts)
	return hosts
}

// peers lists the addresses that files have for other hosts.
func (m *maker) peers() []netip.Addr {
	var all []netip.Addr
	for _, c := range m.configs {
		for _, i := range c.Instances {
			for _, p := range i.Peers {
				if !slices.Contains(all, p.Addr) {
					all = append(all, p.Addr)
				}
			}
		}
	}
	return all
}

// mayHave lists the hosts that a peer's address may be of: those without one, whose own file doesn't have it for a peer's.
func mayHave(hosts []*host, addr netip.Addr) []*host {
	var found []*host
	for _, h := range hosts {
		if h.addr.IsValid() || h.config == nil {
			continue
		}
		theirs := slices.ContainsFunc(h.config.Instances, func(i keepalivedconf.Instance) bool {
			return slices.ContainsFunc(i.Peers, func(p keepalivedconf.Peer) bool { return p.Addr == addr })
		})
		if !theirs {
			found = append(found, h)
		}
	}
	return found
}

// nameAll gives the next free letter to hosts that nobody named.
func nameAll(hosts []*host) {
	taken := make(map[string]bool)
	for _, h := range hosts {
		taken[h.name] = true
	}
	letter := 'a'
	for _, h := range hosts {
		for h.name == "" {
			if name := string(letter); !taken[name] {
				h.name = name
			}
			letter++
		}
	}
}
