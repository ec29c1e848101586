package migration

import (
	"net/netip"
	"slices"
	"strings"
)

// virtual lists the addresses that a script names and that are no host's: one of them may be the address that it moves. What
// stands after a name with "vip" in it comes first.
func virtual(script []byte, hosts []*host) []string {
	const most = 4
	var named, others []string
	text := string(script)
	for at := 0; at < len(text); {
		if !partOfAddress(text[at]) {
			at++
			continue
		}
		end := at
		for end < len(text) && partOfAddress(text[end]) {
			end++
		}
		addr, err := netip.ParseAddr(text[at:end])
		before := strings.ToLower(text[max(0, at-8):at])
		at = end
		if err != nil || !addr.IsGlobalUnicast() || slices.ContainsFunc(hosts, func(h *host) bool { return h.addr == addr }) {
			continue
		}
		if word := addr.String(); slices.Contains(named, word) || slices.Contains(others, word) || len(named)+len(others) == most {
			continue
		} else if strings.Contains(before, "vip") {
			named = append(named, word)
		} else {
			others = append(others, word)
		}
	}
	return append(named, others...)
}

// partOfAddress reports whether a byte may stand in an address of either family.
func partOfAddress(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == '.' || c == ':'
}
