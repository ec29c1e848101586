package migration

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"redkeep/internal/speak/sentinelconf"
)

// host is one machine that the files know.
type host struct {
	// text is the address or the name as the files have it; addr is valid where others could reach it.
	text string
	addr netip.Addr
	// data says that it has a server, asked that a person named it; else it has a Sentinel alone.
	data, asked bool
	// name is the node's, "" for a host that gets no vote.
	name string
	// order is its place among the voters.
	order int
}

// site is all that the files say of the hosts.
type site struct {
	hosts  []*host
	byText map[string]*host
	// own is where each file's own Sentinel runs, "" where no file says so.
	own map[*sentinelconf.File]string
}

// at returns the host of that address or name, and makes it where it is new. Two names of one host are two hosts here: the
// files don't say that they are one.
func (s *site) at(text string) *host {
	addr, err := netip.ParseAddr(text)
	if err == nil {
		addr = addr.Unmap()
		text = addr.String()
	}
	if h := s.byText[text]; h != nil {
		return h
	}
	h := &host{text: text}
	s.byText[text] = h
	if err == nil && addr.IsGlobalUnicast() && addr.Zone() == "" {
		h.addr = addr
	}
	s.hosts = append(s.hosts, h)
	return h
}

// name returns the node that has become of a host, "" for none.
func (s *site) name(text string) string {
	if addr, err := netip.ParseAddr(text); err == nil {
		text = addr.Unmap().String()
	}
	if h := s.byText[text]; h != nil {
		return h.name
	}
	return ""
}

// siteOf collects the hosts: those with servers, those with a Sentinel, and those that a person named.
func siteOf(files []*sentinelconf.File, groups []*group, answers []Node) *site {
	s := &site{byText: make(map[string]*host), own: make(map[*sentinelconf.File]string)}
	for _, g := range groups {
		for _, a := range g.servers {
			s.at(a.Host).data = true
		}
	}
	for _, f := range files {
		for _, m := range f.Masters {
			for _, p := range m.Sentinels {
				s.at(p.Addr.Host)
			}
		}
		if s.own[f] = ownAddress(f, files); s.own[f] != "" {
			s.at(s.own[f])
		}
	}
	for _, n := range answers {
		h := s.at(n.Addr)
		s.resolve(n.Name, h)
		h.asked, h.name = true, n.Name
	}
	slices.SortStableFunc(s.hosts, func(a, b *host) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.addr.Compare(b.addr), strings.Compare(a.text, b.text))
	})
	return s
}

// resolve puts a host in the place of one of which only a name is known, that is the node's or begins with it.
func (s *site) resolve(node string, h *host) {
	at := slices.IndexFunc(s.hosts, func(named *host) bool {
		first, _, _ := strings.Cut(named.text, ".")
		return named != h && !named.addr.IsValid() && (named.text == node || first == node)
	})
	if at < 0 {
		return
	}
	h.data = h.data || s.hosts[at].data
	s.byText[s.hosts[at].text] = h
	s.hosts = slices.Delete(s.hosts, at, at+1)
}

// rank orders those that vote first when not all can: servers' own hosts, then those that were asked for.
func rank(h *host) int {
	switch {
	case h.data:
		return 0
	case h.asked:
		return 1
	default:
		return 2
	}
}

// ownAddress is where a file's own Sentinel runs, or "" where no file says so.
func ownAddress(f *sentinelconf.File, files []*sentinelconf.File) string {
	if f.AnnounceIP != "" {
		return f.AnnounceIP
	}
	for _, word := range f.Last("bind") {
		if addr, err := netip.ParseAddr(strings.TrimPrefix(word, "-")); err == nil && addr.IsGlobalUnicast() {
			return addr.String()
		}
	}
	for _, other := range files {
		for _, m := range other.Masters {
			for _, p := range m.Sentinels {
				if f.MyID != "" && p.ID == f.MyID {
					return p.Addr.Host
				}
			}
		}
	}
	return ""
}

// voters gives names to as many hosts as shall vote: all with servers, and an odd number of three to seven.
func (s *site) voters() []*host {
	least := 0
	for _, h := range s.hosts {
		if h.data || h.asked {
			least++
		}
	}
	n := min(len(s.hosts), 7)
	if n%2 == 0 {
		n--
	}
	n = min(max(n, least), len(s.hosts))
	chosen := s.hosts[:n]
	taken := make(map[string]bool)
	for _, h := range chosen {
		taken[h.name] = true
	}
	for i, h := range chosen {
		h.order = i
		if h.name == "" {
			h.name = free(h, taken)
			taken[h.name] = true
		}
	}
	return chosen
}

// free finds a node's name that is not taken: the first part of a host's name, or the next letter.
func free(h *host, taken map[string]bool) string {
	first, _, _ := strings.Cut(h.text, ".")
	if _, err := netip.ParseAddr(h.text); err != nil && !taken[first] && plain(first) && len(first) <= 63 && !strings.Contains(first, "/") {
		return first
	}
	for c := 'a'; c <= 'z'; c++ {
		if !taken[string(c)] {
			return string(c)
		}
	}
	for i := len(taken); ; i++ {
		if name := fmt.Sprintf("node%d", i); !taken[name] {
			return name
		}
	}
}
