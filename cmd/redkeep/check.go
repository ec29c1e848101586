package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"redkeep/internal/speak/config"
	"redkeep/internal/words"
)

// newCheck builds `redkeep check`.
func newCheck(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Read the configuration and say what it means, or what is wrong with it",
		Long: `Read the configuration and say what it means, or what is wrong with it.
Nothing is changed and no agent is asked. Each error is printed as file:line:column.`,
		Example: "  redkeep check -c /etc/redkeep/redkeep.yaml\n  redkeep check -c redkeep.yaml -o json",
		Args:    cobra.NoArgs,
	}
	flags, output := addConfigFlags(cmd), addFormat(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		c, err := flags.load()
		if err != nil {
			return err
		}
		self, err := flags.self(c)
		if err != nil && flags.node != "" {
			return err
		}
		if err := checkDevices(c, self.Name); err != nil && flags.node == "" {
			return err // with --node, another host's interfaces are not this one's
		}
		m := meaningOf(flags.file, c, self.Name)
		if flags.node == "" {
			m.Warnings = append(m.Warnings, foreigners(c, self.Name)...)
		}
		if *output == formatJSON {
			return writeJSON(s.out, m)
		}
		return m.print(s.out)
	}
	return cmd
}

// meaning is what a configuration amounts to, without its secrets.
type meaning struct {
	File string `json:"file"`
	// Node is empty where the command runs on none of the nodes, as on an administrator's machine.
	Node          words.Node `json:"node,omitempty"`
	Majority      int        `json:"majority"`
	Lease         string     `json:"lease"`
	DownAfter     string     `json:"down_after"`
	BusyAfter     string     `json:"busy_after"`
	ColdStartWait string     `json:"cold_start_wait"`
	Patience      string     `json:"patience"`
	// ListenPort is 0 where Sentinel's clients are served with TLS alone.
	ListenPort     uint16              `json:"listen_port"`
	ListenTLS      *meaningOfListenTLS `json:"listen_tls,omitempty"`
	ListenPassword bool                `json:"listen_password"`
	PeerPort       uint16              `json:"peer_port"`
	Nodes          []meaningOfNode     `json:"nodes"`
	Groups         []meaningOfGroup    `json:"groups"`
	// Pair is what only two nodes have.
	Pair     *meaningOfPair     `json:"pair,omitempty"`
	Warnings []meaningOfWarning `json:"warnings"`
}

// meaningOfListenTLS is how Sentinel's clients are served with TLS.
type meaningOfListenTLS struct {
	Port uint16 `json:"port"`
	// Certificate says that clients need one of their own.
	Certificate bool `json:"certificate"`
}

type meaningOfPair struct {
	// Advert is the time between two advertisements.
	Advert      string       `json:"advert"`
	TieBreakers []netip.Addr `json:"tie_breakers"`
}

type meaningOfNode struct {
	Name    words.Node `json:"name"`
	Address string     `json:"address"`
}

type meaningOfGroup struct {
	Name       words.Group    `json:"name"`
	Server     string         `json:"server"`
	Port       uint16         `json:"port"`
	TLS        *meaningOfTLS  `json:"tls,omitempty"`
	Login      string         `json:"login"`
	Renamed    int            `json:"renamed_commands"`
	Data       []words.Node   `json:"data"`
	Witnesses  []words.Node   `json:"witnesses"`
	Gate       string         `json:"gate"`
	GateExempt []string       `json:"gate_exempt"`
	VIPs       []meaningOfVIP `json:"vips,omitempty"`
	// VRID, Prefer and Failback are a pair's; a group of more nodes may have the last two.
	VRID       uint8      `json:"vrid,omitempty"`
	Prefer     words.Node `json:"prefer,omitempty"`
	Failback   string     `json:"failback,omitempty"`
	Definition string     `json:"definition"`
}

type meaningOfWarning struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	What   string `json:"what"`
	Do     string `json:"do"`
}

// meaningOf puts a configuration into the form that both outputs print.
func meaningOf(file string, c *config.Config, self words.Node) meaning {
	m := meaning{
		File: file, Node: self, Majority: c.Majority(),
		Lease: c.Lease.String(), DownAfter: c.DownAfter.String(), BusyAfter: c.BusyAfter.String(),
		ColdStartWait: c.ColdStartWait.String(), Patience: c.Patience.String(),
		ListenPort: c.ListenPort, PeerPort: c.PeerPort, ListenPassword: !c.ListenPassword.Empty(),
		Warnings: []meaningOfWarning{},
	}
	if t := c.ListenTLS; t.Port != 0 {
		m.ListenTLS = &meaningOfListenTLS{t.Port, t.CA != ""}
	}
	if c.PairOf() {
		m.Pair = &meaningOfPair{c.Advert().String(), append([]netip.Addr{}, c.TieBreakers...)}
	}
	for _, n := range c.Nodes {
		m.Nodes = append(m.Nodes, meaningOfNode{n.Name, n.Addr.String()})
	}
	for _, g := range c.Groups {
		m.Groups = append(m.Groups, meaningOfOne(c, g))
	}
	for _, w := range c.Warnings {
		m.Warnings = append(m.Warnings, meaningOfWarning{w.Line, w.Column, w.What, w.Do})
	}
	return m
}

// meaningOfTLS is the servers' use of TLS, and the agent's.
type meaningOfTLS struct {
	Port        uint16 `json:"port"`
	Replication bool   `json:"replication"`
	// Agent says that the agent speaks TLS to its server, Certificate that it shows one of its own.
	Agent       bool `json:"agent"`
	Certificate bool `json:"certificate"`
	// ServerName is whom the server's certificate must be for; empty for the node's name or address.
	ServerName string `json:"server_name,omitempty"`
}

// String is the line of the text form.
func (t meaningOfTLS) String() string {
	text := fmt.Sprintf("port %d", t.Port)
	if t.Replication {
		text += ", for replication too"
	}
	switch {
	case !t.Agent:
		return text + "; the agent uses the plain port"
	case t.Certificate:
		text += "; the agent shows a certificate, and"
	default:
		text += "; the agent shows no certificate, and"
	}
	switch t.ServerName {
	case "":
		return text + " the server's must be for the node's name or address"
	case config.AnyName:
		return text + " the server's may be for anybody"
	default:
		return text + " the server's must be for " + t.ServerName
	}
}

// meaningOfVIP is a virtual address; Dev is empty for the interface in whose subnet it is.
type meaningOfVIP struct {
	Address string `json:"address"`
	Dev     string `json:"dev,omitempty"`
}

// meaningOfOne does it for one group.
func meaningOfOne(c *config.Config, g config.Group) meaningOfGroup {
	m := meaningOfGroup{
		Name: g.Name, Port: g.Server.Port, Server: "each data node's own address", Login: "none",
		Renamed: len(g.Server.Rename), Data: g.Data, Witnesses: []words.Node{},
		Gate: g.Gate.String(), GateExempt: append([]string{}, g.GateExempt...),
		Definition: c.Definition(g).Digest().String(), Prefer: g.Prefer,
	}
	if c.PairOf() {
		m.VRID = g.VRID
	}
	if g.Prefer != "" {
		m.Failback = g.FailbackWord()
	}
	if t := g.Server.TLS; t.Port != 0 {
		m.TLS = &meaningOfTLS{t.Port, t.Replication, t.Speaks(), t.Cert != "", t.ServerName}
	}
	if !g.Server.OnNode {
		m.Server = g.Server.Loopback.String() + " on each data node"
	}
	switch {
	case g.Server.User != "":
		m.Login = "user " + g.Server.User
	case !g.Server.Password.Empty():
		m.Login = "password"
	}
	for _, n := range c.Nodes {
		if !g.HasData(n.Name) {
			m.Witnesses = append(m.Witnesses, n.Name)
		}
	}
	for _, v := range g.VIPs {
		m.VIPs = append(m.VIPs, meaningOfVIP{v.Addr.String(), v.Dev})
	}
	return m
}

// print writes the text form: aligned, a paragraph for the agents and one for each group, warnings last.
func (m meaning) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(label, format string, args ...any) {
		_, _ = fmt.Fprintf(w, "  %s\t%s\n", label, fmt.Sprintf(format, args...))
	}
	head := func(text string) {
		_ = w.Flush()
		_, _ = fmt.Fprintln(out, paint(out, bold, text))
	}
	head(m.File + " is good")
	for i, n := range m.Nodes {
		label := ""
		if i == 0 {
			label = "nodes"
		}
		if n.Name == m.Node {
			line(label, "%s %s (this host)", n.Name, n.Address)
		} else {
			line(label, "%s %s", n.Name, n.Address)
		}
	}
	if m.Node == "" {
		line("this host", "none of the nodes")
	}
	if m.Pair == nil {
		line("majority", "%d of %d: writes go on while no more than %d is lost", m.Majority, len(m.Nodes), len(m.Nodes)-m.Majority)
	} else {
		line("majority", "none, a pair: either takes over when three advertisements are missing, one each %s", m.Pair.Advert)
		line("tie_breakers", "%s", addresses(m.Pair.TieBreakers))
	}
	line("lease", "%s", m.Lease)
	line("down_after", "%s; busy_after %s", m.DownAfter, m.BusyAfter)
	line("cold_start_wait", "%s; patience %s", m.ColdStartWait, m.Patience)
	line("ports", "%s for Sentinel's clients (TCP), %d among agents (TCP and UDP)", m.clientPorts(), m.PeerPort)
	if needs := m.clientNeeds(); needs != "" {
		line("clients", "%s", needs)
	}
	for _, g := range m.Groups {
		_ = w.Flush()
		_, _ = fmt.Fprintln(out)
		head("group " + string(g.Name))
		g.print(line)
	}
	_ = w.Flush()
	return m.printWarnings(out)
}

// clientPorts are those of Sentinel's clients.
func (m meaning) clientPorts() string {
	switch {
	case m.ListenTLS == nil:
		return fmt.Sprint(m.ListenPort)
	case m.ListenPort == 0:
		return fmt.Sprintf("%d with TLS", m.ListenTLS.Port)
	default:
		return fmt.Sprintf("%d, and %d with TLS,", m.ListenPort, m.ListenTLS.Port)
	}
}

// clientNeeds is what Sentinel's clients have to bring; "" for nothing.
func (m meaning) clientNeeds() string {
	var needs []string
	if m.ListenPassword {
		needs = append(needs, "a password")
	}
	if m.ListenTLS != nil && m.ListenTLS.Certificate {
		needs = append(needs, "a certificate, with TLS")
	}
	if len(needs) == 0 {
		return ""
	}
	return "Sentinel's need " + strings.Join(needs, ", and ")
}

// print writes the lines of one group.
func (g meaningOfGroup) print(line func(label, format string, args ...any)) {
	if g.Port == 0 {
		line("redis", "no plain port, %s", g.Server)
	} else {
		line("redis", "port %d, %s", g.Port, g.Server)
	}
	if g.TLS != nil {
		line("tls", "%s", g.TLS)
	}
	login := g.Login
	if g.Renamed > 0 {
		login += fmt.Sprintf("; %d renamed commands", g.Renamed)
	}
	line("login", "%s", login)
	line("data", "%s", list(g.Data))
	line("witnesses", "%s", list(g.Witnesses))
	gate := g.Gate
	if len(g.GateExempt) > 0 {
		gate += ", not for " + list(g.GateExempt)
	}
	line("gate", "%s", gate)
	for _, v := range g.VIPs {
		where := "the interface in whose subnet it is"
		if v.Dev != "" {
			where = v.Dev
		}
		line("vip", "%s on %s", v.Address, where)
	}
	if g.VRID != 0 {
		line("vrid", "%d", g.VRID)
	}
	if g.Prefer != "" {
		line("prefer", "%s, failback %s", g.Prefer, g.Failback)
	}
	line("definition", "%s (must be the same on every node)", g.Definition)
}

// printWarnings writes what is allowed and worth a sentence.
func (m meaning) printWarnings(out io.Writer) error {
	if len(m.Warnings) == 0 {
		return nil
	}
	_, err := fmt.Fprintln(out)
	for _, w := range m.Warnings {
		p := config.Problem{File: m.File, Line: w.Line, Column: w.Column, What: w.What, Do: w.Do}
		_, err = fmt.Fprintf(out, "%s %s\n", paint(out, yellow, "warning:"), p)
	}
	return err
}

// addresses joins them, or says what it means that there is none.
func addresses(all []netip.Addr) string {
	if len(all) == 0 {
		return "none: cut off from each other, both become master"
	}
	parts := make([]string, len(all))
	for i, a := range all {
		parts[i] = a.String()
	}
	return strings.Join(parts, ", ") + ": one of them must be reached"
}

// list joins names, or says that there is none.
func list[T ~string](names []T) string {
	if len(names) == 0 {
		return "none"
	}
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = string(n)
	}
	return strings.Join(parts, ", ")
}
