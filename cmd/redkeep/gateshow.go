package main

import (
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"redkeep/internal/act/gate"
	"redkeep/internal/speak/config"
	"redkeep/internal/words"
)

// newGateShow builds `redkeep gate show`.
func newGateShow(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show [GROUP...]",
		Short: "Print what the kernel lets through, for how long, and what it has refused",
		Example: "  redkeep gate show\n  redkeep gate show orders -o json\n" +
			"  nft list table inet redkeep    # the same, as the kernel has it; virtual addresses: table arp redkeep",
		Args: cobra.ArbitraryArgs,
	}
	flags, output := addConfigFlags(cmd), addFormat(cmd)
	cmd.Flags().Lookup("config").Usage = "check the groups' names against this `FILE`; without one the kernel is asked all the same"
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		// What the kernel does can be looked at with no file, and with a broken one, unless it is named.
		c, err := flags.load()
		if cmd.Flags().Changed("config") {
			if err != nil {
				return err
			}
			if _, err := chosen(c, args); err != nil {
				return err
			}
		}
		v, err := gate.Show(cmd.Context())
		if err != nil {
			return fmt.Errorf("%w; or run this as root", err)
		}
		view := viewOf(v, args)
		if c != nil {
			view.file, view.unknown = flags.file, unminded(c, view.Groups)
		}
		if *output == formatJSON {
			return writeJSON(s.out, view)
		}
		return view.print(s.out)
	}
	return cmd
}

// viewedGate is the gate as both outputs print it.
type viewedGate struct {
	// Exists says that there is a table; without one everything passes.
	Exists bool `json:"exists"`
	// Agent says that a running agent holds the table; Lasting that other programs' flushes don't touch it meanwhile.
	Agent   bool          `json:"agent"`
	Lasting bool          `json:"lasting"`
	Groups  []viewedGroup `json:"groups"`

	asked []string // the names of groups that were given
	// unknown are groups that file has no more.
	unknown []words.Group
	file    string
}

type viewedGroup struct {
	Group words.Group `json:"group"`
	Ports []uint16    `json:"ports"`
	// Mode is shut, leased, open, replication only or absent.
	Mode string `json:"mode"`
	Slot *int   `json:"slot,omitempty"`
	// Watch says that nothing is refused, only counted.
	Watch bool `json:"watch"`
	// Passes says that a client's request would pass now, and LeftMS for how long; null is without a limit.
	Passes bool   `json:"passes"`
	LeftMS *int64 `json:"left_ms"`
	// Refused counts packets that were refused, or in mode watch would have been.
	Refused uint64 `json:"refused_packets"`
	// Addresses are virtual ones that this host may claim or not; Silenced counts the claims that were dropped.
	Addresses []netip.Addr `json:"addresses,omitempty"`
	Claimable *bool        `json:"claimable,omitempty"`
	Silenced  uint64       `json:"silenced_claims,omitempty"`
}

// unminded are the groups that the kernel has and the file has not.
func unminded(c *config.Config, groups []viewedGroup) (list []words.Group) {
	for _, g := range groups {
		ours := strings.ContainsRune(string(g.Group), ' ') // an agent's own, for a moment
		if _, known := c.Group(g.Group); !known && !ours {
			list = append(list, g.Group)
		}
	}
	return list
}

// viewOf takes what is asked for out of the kernel's answer.
func viewOf(v gate.View, names []string) viewedGate {
	out := viewedGate{Exists: v.Exists, Agent: v.Owned, Lasting: v.Lasting, Groups: []viewedGroup{}, asked: names}
	for _, s := range v.States {
		if len(names) > 0 && !slices.Contains(names, string(s.Group)) {
			continue
		}
		g := viewedGroup{
			Group: s.Group, Ports: s.Want.Ports, Mode: s.Want.Mode.String(), Watch: s.Want.Watch, Passes: s.Open, Refused: s.Refused,
		}
		if len(s.Want.Addresses) > 0 {
			g.Addresses, g.Claimable, g.Silenced = s.Want.Addresses, &s.Claimable, s.Silenced
		}
		if s.Want.Mode == gate.Leased {
			g.Slot = &s.Want.Slot
		}
		if s.Left > 0 {
			ms := s.Left.Milliseconds()
			g.LeftMS = &ms
		}
		out.Groups = append(out.Groups, g)
	}
	return out
}

func (v viewedGate) print(out io.Writer) error {
	if !v.Exists {
		_, err := fmt.Fprintln(out, "there is no gate: everything passes")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "GROUP\tPORTS\tGATE\tCLIENTS\tFOR\tREFUSED PACKETS")
	for _, g := range v.Groups {
		ports := strings.Trim(fmt.Sprint(g.Ports), "[]")
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\n", g.Group, ports, g.mode(), g.clients(), g.left(), g.Refused)
	}
	_ = w.Flush()
	for _, g := range v.Groups {
		if len(g.Addresses) > 0 {
			_, _ = fmt.Fprintf(out, "%s: %s\n", g.Group, g.claims())
		}
	}
	for _, g := range v.unknown {
		_, _ = fmt.Fprintf(out, "%s: not in %s, so nobody minds it, and what is shut stays shut; to have it open for good put it back there, "+
			"start the agents anew, and run: redkeep leave --group %[1]s\n", g, v.file)
	}
	holder := "no agent holds it: what is shut stays shut, and a lease runs out"
	if v.Agent {
		holder = "held by the running agent"
	}
	if !v.Lasting {
		holder += "; another program's flush opens it (this kernel is older than 6.9)"
	}
	if len(v.Groups) == 0 {
		what := "no group"
		if len(v.asked) > 0 {
			what = "no group of the name " + strings.Join(v.asked, ", ")
		}
		holder = what + " is judged, everything passes; " + holder
	}
	_, err := fmt.Fprintln(out, holder)
	return err
}

func (g viewedGroup) mode() string {
	mode := g.Mode
	switch {
	case g.Slot != nil:
		mode = fmt.Sprintf("%s, slot %d", mode, *g.Slot)
	case mode == gate.Opened.String() && !g.Passes:
		mode = "shut, an opening is over" // by "gate open --for", or an agent's that renews it no more
	}
	if g.Watch {
		mode += " (only watched)"
	}
	return mode
}

func (g viewedGroup) clients() string {
	if g.Passes {
		return "pass"
	}
	return "refused"
}

func (g viewedGroup) left() string {
	if g.LeftMS == nil {
		return "-"
	}
	left := time.Duration(*g.LeftMS) * time.Millisecond
	if left >= 10*time.Second {
		left = left.Round(time.Second)
	}
	return left.String()
}

// claims says what becomes of the group's virtual addresses on this host.
func (g viewedGroup) claims() string {
	may := "may"
	if !*g.Claimable {
		may = "may not"
	}
	text := fmt.Sprintf("this host %s answer for %s", may, strings.Join(g.addresses(), ", "))
	if g.Silenced > 0 {
		text += fmt.Sprintf("; answers dropped: %d", g.Silenced)
	}
	return text
}

func (g viewedGroup) addresses() []string {
	var out []string
	for _, a := range g.Addresses {
		out = append(out, a.String())
	}
	return out
}
