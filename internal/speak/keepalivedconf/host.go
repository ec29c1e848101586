package keepalivedconf

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"redkeep/internal/words"
)

// Host is what checking needs of the host that a file is for.
type Host interface {
	// Interfaces returns all network interfaces with their addresses.
	Interfaces() map[string][]netip.Prefix
	// Program looks for a program as keepalived does: a name without a slash in the directories of PATH. The error says why
	// there is none, without the path.
	Program(name string) (Program, error)
	// User and Group report whether there is one of that name or number.
	User(name string) bool
	Group(name string) bool
}

// Program is a file that is to be run.
type Program struct {
	// Path is where it was found.
	Path string
	Mode fs.FileMode
	// Unsafe is the file or the directory on its path that somebody but root could change, "" for none.
	Unsafe string
	// Text is its beginning: 64 KiB at most, and nothing where it can't be read.
	Text []byte
}

// hostCheck is one look at a host.
type hostCheck struct {
	problems
	c *Config
	h Host
	// all are the interfaces with their addresses.
	all map[string][]netip.Prefix
	// seen are the programs that have been looked at.
	seen map[string]bool
	// asRoot is the first command without a user, if those run as root.
	asRoot *Command
}

// On says what of a configuration is wrong or odd on a host: interfaces that are not there, programs that can't be run. They
// are sorted by place.
func (c *Config) On(h Host) []Problem {
	k := &hostCheck{c: c, h: h, all: h.Interfaces(), seen: make(map[string]bool)}
	if u := c.Global.ScriptUser; u != "" && !h.User(u) {
		k.wrong(k.atKeyword("script_user"), "make the user, or name another", "script_user %s is no user of this host", shown(u))
	}
	if g := c.Global.ScriptGroup; g != "" && !h.Group(g) {
		k.wrong(k.atKeyword("script_user"), "make the group, or name another", "the group of script_user, %s, is none of this host", shown(g))
	}
	for i := range c.Scripts {
		s := &c.Scripts[i]
		k.command(&s.Command, "check "+shown(s.Name), "keepalived goes on without the check, or counts it as good")
	}
	for i := range c.Instances {
		k.network(&c.Instances[i])
		k.notify(&c.Instances[i].Notify)
	}
	for i := range c.Groups {
		k.notify(&c.Groups[i].Notify)
	}
	for _, f := range []Fifo{c.Global.VRRPFifo, c.Global.Fifo} {
		if f.Script != nil {
			k.command(f.Script, "the program of a notify fifo", "nothing would read it")
		}
	}
	if k.asRoot != nil {
		k.warn(k.asRoot.At, "make a user for them and name it: script_user NAME in global_defs", "this and other programs run as root, since no user is named for them")
	}
	return k.sorted(c.Files)
}

// atKeyword finds a keyword of global_defs, for what is told of it.
func (k *hostCheck) atKeyword(keyword string) Place {
	for _, f := range k.c.Files {
		for _, s := range f.Statements {
			if s.Keyword() != "global_defs" || s.Block == nil {
				continue
			}
			for _, one := range s.Block.Statements {
				if one.Keyword() == keyword {
					return one.At()
				}
			}
		}
	}
	return k.c.Files[0].places.at(0, 0)
}

// notify looks at the programs that are told of changes.
func (k *hostCheck) notify(n *Notify) {
	for _, one := range []struct {
		name    string
		command *Command
	}{
		{"notify_master", n.Master}, {"notify_backup", n.Backup}, {"notify_fault", n.Fault}, {"notify_stop", n.Stop},
		{"notify", n.Any}, {"notify_deleted", n.Deleted}, {"notify_master_rx_lower_pri", n.MasterLowerPriority},
	} {
		if one.command != nil {
			k.command(one.command, "the program of "+one.name, "nothing would be done then, and keepalived says so to nobody")
		}
	}
	if n.Master != nil && n.Backup != nil && k.sleeps(n.Master) && k.sleeps(n.Backup) {
		k.warn(n.Master.At, "nothing, if that is meant: redkeep runs one after the other, and stops the one whose state is over",
			"notify_master and notify_backup both sleep: keepalived runs them side by side, and the older one may have the last word")
	}
}

// sleeps reports whether a script waits for some time.
func (k *hostCheck) sleeps(c *Command) bool {
	p, err := k.h.Program(c.Args[0])
	if err != nil || bytes.HasPrefix(p.Text, []byte("\x7fELF")) {
		return false
	}
	for line := range bytes.Lines(p.Text) {
		line = bytes.TrimSpace(line)
		if !bytes.HasPrefix(line, []byte("#")) && (bytes.HasPrefix(line, []byte("sleep ")) || bytes.Contains(line, []byte(".sleep(")) || bytes.Contains(line, []byte(" sleep "))) {
			return true
		}
	}
	return false
}

// command looks at one program. but is what keepalived makes of one that can't be run.
func (k *hostCheck) command(c *Command, what, but string) {
	if len(c.Args) == 0 {
		return
	}
	if c.User == "" && k.c.Global.ScriptUser == "" && !k.h.User("keepalived_script") && k.asRoot == nil {
		k.asRoot = c
	}
	if c.User != "" && !k.h.User(c.User) {
		k.wrong(c.At, "make the user, or name another", "%s runs as %s, who is no user of this host", what, shown(c.User))
	}
	if c.Group != "" && !k.h.Group(c.Group) {
		k.wrong(c.At, "make the group, or name another", "%s runs as group %s, which is none of this host", what, shown(c.Group))
	}
	name := c.Args[0]
	if k.seen[name] {
		return
	}
	k.seen[name] = true
	p, err := k.h.Program(name)
	switch {
	case err != nil:
		k.wrong(c.At, "put it there, or write the path of one that is", "%s, %s: %v: %s", what, shown(name), err, but)
	case !p.Mode.IsRegular():
		k.wrong(c.At, "write the path of a program", "%s, %s, is not a file: %s", what, shown(name), but)
	case p.Mode.Perm()&0o111 == 0:
		k.wrong(c.At, "run: chmod +x "+shown(p.Path), "%s, %s, is not executable: %s", what, shown(name), but)
	default:
		k.runs(c, p, what, but)
	}
}

// runs looks whether the kernel could start a program, and whether somebody else could replace it.
func (k *hostCheck) runs(c *Command, p Program, what, but string) {
	name := shown(c.Args[0])
	if p.Unsafe != "" {
		do := "run: chown root " + shown(p.Unsafe) + "; chmod go-w " + shown(p.Unsafe)
		if k.c.Global.ScriptSecurity {
			k.wrong(c.At, do, "%s, %s, is not run: others than root can change %s, and enable_script_security forbids that", what, name, shown(p.Unsafe))
		} else {
			k.warn(c.At, do, "%s, %s, could be changed by others than root: %s", what, name, shown(p.Unsafe))
		}
	}
	line, _, _ := bytes.Cut(p.Text, []byte("\n"))
	switch interpreter, is := strings.CutPrefix(string(line), "#!"); {
	case len(p.Text) == 0 || bytes.HasPrefix(p.Text, []byte("\x7fELF")):
	case !is:
		k.wrong(c.At, "write #!/bin/sh, or what it is for, into its first line", "%s, %s, has no #! line, without which it can't be started: %s", what, name, but)
	case strings.HasSuffix(interpreter, "\r"):
		k.wrong(c.At, "write its lines with plain ends: sed -i 's/\\r$//' "+shown(p.Path), "%s, %s, has a #! line that ends in a carriage return, so that it can't be started: %s", what, name, but)
	default:
		k.interpreter(c, interpreter, what, but)
	}
}

// interpreter looks for the program that a #! line names, and for the one that env would look for.
func (k *hostCheck) interpreter(c *Command, line, what, but string) {
	fields := strings.Fields(line)
	if len(fields) > 1 && strings.HasSuffix(fields[0], "/env") {
		fields = fields[1:]
	}
	if len(fields) == 0 {
		fields = []string{"#!"}
	}
	if p, err := k.h.Program(fields[0]); err != nil || p.Mode.Perm()&0o111 == 0 {
		k.wrong(c.At, "install it, or write the path of another into the script's first line", "%s, %s, wants %s, which is not here: %s",
			what, shown(c.Args[0]), shown(fields[0]), but)
	}
}

// network looks at an instance's interfaces and addresses.
func (k *hostCheck) network(i *Instance) {
	k.device(i.Interface, i.Place("interface"), "interface")
	for _, t := range i.Interfaces {
		k.device(t.Name, t.At, "track_interface")
	}
	for _, v := range slices.Concat(i.VIPs, i.Excluded) {
		if v.Dev != "" && v.Dev != i.Interface {
			k.device(v.Dev, v.At, "dev")
		}
		k.reachable(i, v)
	}
	if i.Source.IsValid() && !k.local(i.Source) {
		at, keyword := i.Place("unicast_src_ip"), "unicast_src_ip"
		if i.Given("mcast_src_ip") {
			at, keyword = i.Place("mcast_src_ip"), "mcast_src_ip"
		}
		k.warn(at, "write one of this host's own addresses", "%s %s is no address of this host: nothing could be sent", keyword, i.Source)
	}
	for _, p := range i.Peers {
		if p.Addr != i.Source && k.local(p.Addr) {
			k.warn(p.At, "name the other hosts alone", "unicast_peer has this host's own address, %s", p.Addr)
		}
	}
}

// local reports whether an address is the host's own.
func (k *hostCheck) local(a netip.Addr) bool {
	for _, list := range k.all {
		if slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Addr() == a }) {
			return true
		}
	}
	return false
}

// device looks for an interface.
func (k *hostCheck) device(name string, at Place, of string) {
	if _, is := k.all[name]; is || name == "" || k.c.Global.DynamicInterfaces {
		return
	}
	names := slices.Sorted(maps.Keys(k.all))
	names = slices.DeleteFunc(names, func(n string) bool { return n == "lo" })
	do := fmt.Sprintf("the interfaces are %s", strings.Join(names, ", "))
	if near, ok := words.Nearest(name, names); ok {
		do = "did you mean " + near + "?"
	} else if len(names) == 0 {
		do = "make one"
	}
	k.wrong(at, do, "%s %s is not on this host", of, shown(name))
}

// reachable warns of an address that the hosts on the interface would not look for there.
func (k *hostCheck) reachable(i *Instance, v Address) {
	dev := v.Dev
	if dev == "" {
		dev = i.Interface
	}
	var nets []string
	var at netip.Prefix // the network that it is the edge of
	for _, p := range k.all[dev] {
		switch own := p.Addr(); {
		case own == v.Prefix.Addr() || own.Is4() != v.Prefix.Addr().Is4() || own.IsLinkLocalUnicast() || p.IsSingleIP():
		case p.Contains(v.Prefix.Addr()) && edge(netip.PrefixFrom(v.Prefix.Addr(), p.Bits())):
			at = netip.PrefixFrom(v.Prefix.Addr(), p.Bits())
		case p.Contains(v.Prefix.Addr()):
			return
		default:
			nets = append(nets, p.Masked().String())
		}
	}
	if at.IsValid() {
		if !edge(v.Prefix) { // It is told already.
			k.edge(v.At, at)
		}
		return
	}
	if len(nets) > 0 && !v.Prefix.Addr().IsLinkLocalUnicast() {
		k.warn(v.At, "choose an address of the network, unless a router sends that one here", "%s is in none of %s's networks (%s), so that nobody there looks for it",
			v.Prefix.Addr(), shown(dev), strings.Join(slices.Compact(nets), ", "))
	}
}
