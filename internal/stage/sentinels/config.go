package sentinels

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"redkeep/internal/stage"
)

// Group is one master to watch.
type Group struct {
	// Name is what clients ask for.
	Name string
	// Host is the master's address as it stands in the file; with resolve-hostnames a name.
	Host string
	// Port is the master's; default 6379.
	Port uint16
	// Quorum is how many Sentinels have to call it down.
	Quorum int
	// DownAfter and FailoverTimeout go into the file in milliseconds; zero leaves Sentinel's default.
	DownAfter, FailoverTimeout time.Duration
	// Lines are further directives "OPTION VALUE ..." of this group, without `sentinel` and without the name: "auth-pass x"
	// becomes `sentinel auth-pass NAME x`.
	Lines []string
}

// Config are the choices for one Sentinel.
type Config struct {
	Program Program
	// Port is where it listens; default 26379.
	Port uint16
	// Groups are what it watches.
	Groups []Group
	// Before are lines in front of those of the groups, and After at the end.
	Before, After []string
	// Password and User are how this package's own questions are authenticated; empty where that is not needed.
	User, Password string
	// TLS, if set, is by what this package speaks to it: it listens for TLS alone.
	TLS func() (*tls.Config, error)
	// Hosts, if set, is what the process finds in /etc/hosts, in a mount namespace of its own.
	Hosts string
}

// At is a group at an address.
func At(name string, master netip.AddrPort, quorum int) Group {
	return Group{Name: name, Host: master.Addr().String(), Port: master.Port(), Quorum: quorum}
}

// text is the configuration file.
func (c Config) text(dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# written by a test\nport %d\nprotected-mode no\ndir %q\nloglevel debug\n", c.Port, dir)
	lines(&b, c.Before)
	for _, g := range c.Groups {
		if g.Port == 0 {
			g.Port = stage.DefaultPort
		}
		fmt.Fprintf(&b, "sentinel monitor %s %s %d %d\n", g.Name, g.Host, g.Port, g.Quorum)
		if g.DownAfter > 0 {
			fmt.Fprintf(&b, "sentinel down-after-milliseconds %s %d\n", g.Name, g.DownAfter.Milliseconds())
		}
		if g.FailoverTimeout > 0 {
			fmt.Fprintf(&b, "sentinel failover-timeout %s %d\n", g.Name, g.FailoverTimeout.Milliseconds())
		}
		for _, line := range g.Lines {
			option, value, _ := strings.Cut(line, " ")
			fmt.Fprintf(&b, "sentinel %s %s %s\n", option, g.Name, value)
		}
	}
	lines(&b, c.After)
	return b.String()
}

func lines(b *strings.Builder, all []string) {
	for _, line := range all {
		b.WriteString(line + "\n")
	}
}
