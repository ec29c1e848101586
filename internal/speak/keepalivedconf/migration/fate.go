package migration

import (
	"fmt"
	"strings"

	"redkeep/internal/speak/keepalivedconf"
)

// fates says what became of each line of a configuration.
func (m *maker) fates(c *keepalivedconf.Config) {
	for _, f := range c.Files {
		for _, s := range f.Statements {
			m.statement(c, "", "", s)
		}
	}
}

// statement says it of one line, and of those in its block. block is the keyword of the block that it is in, name that block's
// name.
func (m *maker) statement(c *keepalivedconf.Config, block, name string, s *keepalivedconf.Statement) {
	keyword := s.Keyword()
	inner := keyword
	if block == "vrrp_instance" || block == "vrrp_sync_group" {
		inner = block + "/" + keyword
	}
	fate, why := m.fate(c, block, name, s)
	if fate != "" {
		m.notes = append(m.notes, Note{s.At().File, s.At().Line, fate, why})
	}
	if s.Block == nil || fate == Dropped { // of what is dropped as a whole each line is
		return
	}
	if n := named(c, s); n != "" {
		name = n
	}
	for _, one := range s.Block.Statements {
		m.statement(c, inner, name, one)
	}
}

// named is the name of a block: an instance's as it was read, since $NAME may be a part of it.
func named(c *keepalivedconf.Config, s *keepalivedconf.Statement) string {
	for i := range c.Instances {
		if c.Instances[i].At == s.At() {
			return c.Instances[i].Name
		}
	}
	return s.Name()
}

// because says of keywords why Redkeep has no use for them; those of blocks have the block's name before them.
var because = map[string]string{
	"global_defs":                   "the agent has no such settings, runs no scripts and sends no mail",
	"vrrp_sync_group/notify":        "Redkeep runs no scripts",
	"vrrp_track_process":            "each agent watches its own server's process",
	"vrrp_script/script":            "each agent looks at its own server, ten times in a lease and without a script",
	"vrrp_script/timeout":           "a server that does not answer is told from a busy one (down_after, busy_after)",
	"vrrp_script/rise":              "a server that came back is a replica until it has everything",
	"vrrp_script/weight":            "a server's data decide who may be master, and no number",
	"vrrp_script/user":              "Redkeep runs no scripts",
	"vrrp_script/init_fail":         "a server counts when it was looked at",
	"vrrp_instance/state":           "who is master is found out when the agents start",
	"vrrp_instance/interface":       "the address goes onto the interface in whose subnet it is; vip: {address: ..., dev: ...} names another",
	"vrrp_instance/authentication":  "agents prove to each other that they know the secret (secret_file)",
	"vrrp_instance/preempt_delay":   "the preferred node goes back when its server has everything, and not after some time",
	"vrrp_instance/unicast_peer":    "agents find each other by nodes",
	"vrrp_instance/version":         "agents choose it themselves",
	"vrrp_instance/track_script":    "each agent looks at its own server",
	"vrrp_instance/track_process":   "each agent watches its own server's process",
	"vrrp_instance/track_interface": "a node that hears no other takes no writes, whatever its link says",
	"vrrp_instance/smtp_alert":      "Redkeep sends no mail",
	"vrrp_instance/preempt":         "it is the default where prefer is written",
}

// fate says it of one line by itself.
func (m *maker) fate(c *keepalivedconf.Config, block, name string, s *keepalivedconf.Statement) (Fate, string) {
	keyword := shown(s)
	if strings.HasPrefix(keyword, "$") && strings.Contains(s.Keyword(), "=") {
		return Took, keyword + ": its value is where it is used"
	}
	switch block {
	case "":
		if keyword == "vrrp_script" || keyword == "vrrp_instance" && c.Instance(named(c, s)) != nil {
			return "", "" // its lines speak for it
		}
		if keyword == "vrrp_sync_group" {
			return Asks, "vrrp_sync_group " + printable(s.Name()) + ": each group has its own master; if an application needs them on one host, give them the same prefer"
		}
	case "vrrp_script":
		if m.downAfter > 0 && (keyword == "interval" || keyword == "fall") {
			return Took, keyword + " -> down_after: " + m.downAfter.String() + ", the longest of all checks; a server that died is noticed at once"
		}
	case "vrrp_instance":
		return m.ofInstance(c, name, s)
	case "vrrp_instance/virtual_ipaddress", "vrrp_instance/virtual_ipaddress_excluded":
		return m.address(c, name, s)
	default:
		return "", ""
	}
	if why := because[strings.TrimPrefix(block+"/"+keyword, "/")]; why != "" {
		return Dropped, keyword + ": " + why
	}
	return Dropped, keyword + ": Redkeep has no counterpart"
}

// ofInstance says it of a line in a vrrp_instance.
func (m *maker) ofInstance(c *keepalivedconf.Config, name string, s *keepalivedconf.Statement) (Fate, string) {
	keyword := shown(s)
	i, g := c.Instance(name), m.groupOf(c, name)
	if g == nil {
		return Dropped, keyword + ": the instance has no address"
	}
	at := "groups." + g.name
	switch keyword {
	case "virtual_ipaddress", "virtual_ipaddress_excluded":
		return "", ""
	case "virtual_router_id":
		if m.pair() {
			return Took, fmt.Sprintf("virtual_router_id -> %s.vrid: %d", at, g.first().VRID)
		}
		return Dropped, "virtual_router_id: a majority of the nodes decides, and not VRRP"
	case "advert_int":
		return Took, "advert_int -> lease: " + m.lease.String() + ", three of the longest"
	case "priority":
		if g.prefer != "" && m.nodeOf(c) == g.prefer {
			return Took, "priority -> " + at + ".prefer: " + g.prefer + ", with failback: synced"
		}
		return Dropped, "priority: the server with the most data is the next master; prefer says who takes the group back"
	case "nopreempt":
		if g.prefer == "" {
			return Took, "nopreempt -> " + at + " without prefer: the master stays where it is"
		}
		return Dropped, "nopreempt: of another host than the preferred one it changes nothing"
	case "unicast_src_ip", "mcast_src_ip":
		return Took, keyword + " -> nodes." + m.nodeOf(c)
	}
	if strings.HasPrefix(keyword, "notify") {
		why := ": the agent promotes and demotes its server itself, in one order with the address"
		if len(s.Words) > 1 && sleeps(m.answers.Scripts[program(i, keyword)]) {
			why += "; where the script sleeps, the agent waits until the copy is level"
		}
		if m.demotesAtStop(i, keyword) {
			why += "; it runs when keepalived stops, too: where that makes the last master a replica, say there redis-cli replicaof no one, before its agent starts"
		}
		return Dropped, keyword + why
	}
	if why := because["vrrp_instance/"+keyword]; why != "" {
		return Dropped, keyword + ": " + why
	}
	return Dropped, keyword + ": Redkeep has no counterpart"
}

// shown is a keyword as a note may repeat it: without a password that was run together with it.
func shown(s *keepalivedconf.Statement) string {
	const auth = "auth_pass"
	if strings.HasPrefix(s.Keyword(), auth) {
		return auth
	}
	word, _, _ := strings.Cut(s.Keyword(), "=") // what is defined may be a password too
	return printable(word)
}

// program is the path of what an instance runs for a keyword.
func program(i *keepalivedconf.Instance, keyword string) string {
	if args := arguments(i, keyword); len(args) > 0 {
		return args[0]
	}
	return ""
}

// arguments is the command line of what an instance runs for a keyword.
func arguments(i *keepalivedconf.Instance, keyword string) []string {
	for k, c := range map[string]*keepalivedconf.Command{
		"notify_master": i.Notify.Master, "notify_backup": i.Notify.Backup, "notify_fault": i.Notify.Fault, "notify_stop": i.Notify.Stop, "notify": i.Notify.Any,
	} {
		if k == keyword && c != nil {
			return c.Args
		}
	}
	return nil
}

// demotesAtStop reports whether what an instance runs for a keyword is run when keepalived stops, and makes a server a replica.
func (m *maker) demotesAtStop(i *keepalivedconf.Instance, keyword string) bool {
	if keyword != "notify_stop" && keyword != "notify" {
		return false
	}
	return demotes(strings.Join(arguments(i, keyword), " ")) || demotes(string(m.answers.Scripts[program(i, keyword)]))
}

// address says it of a virtual address.
func (m *maker) address(c *keepalivedconf.Config, name string, s *keepalivedconf.Statement) (Fate, string) {
	g := m.groupOf(c, name)
	text, mask, masked := strings.Cut(s.Keyword(), "/")
	switch {
	case g == nil:
		return Dropped, printable(text) + ": the instance was not read"
	case strings.HasPrefix(text, "$"):
		return Took, printable(text) + " -> groups." + g.name + ".vip"
	}
	for _, v := range g.vips {
		if v.String() != text {
			continue
		}
		note := text + " -> groups." + g.name + ".vip"
		if masked && mask != "32" && mask != "128" {
			note += "; without the mask: an address of its own can't take the host's along"
		}
		return Took, note
	}
	return Asks, printable(text) + ": Redkeep moves one address of each family with a group; make another group for it, or leave it out"
}

// groupOf is the group that has become of an instance, or nil.
func (m *maker) groupOf(c *keepalivedconf.Config, name string) *group {
	for _, g := range m.groups {
		for n, i := range g.of {
			if i != nil && m.configs[n] == c && i.Name == name {
				return g
			}
		}
	}
	return nil
}

// nodeOf is the node that has become of a file's host.
func (m *maker) nodeOf(c *keepalivedconf.Config) string {
	for _, h := range m.hosts {
		if h.config == c {
			return h.name
		}
	}
	return ""
}
