package sentinel

import (
	"net/netip"
	"strconv"
	"strings"
)

// Address is where a process listens. Host is a name where names are resolved, and IP then what it was last resolved to; else
// Host is the text of IP. Port 0 is an address that is known to be wrong, and is never connected to.
type Address struct {
	Host string
	IP   netip.Addr
	Port int
	// plain says that Host is known to be the text of IP, which then need not be printed.
	plain bool
}

// At returns the address of a host, which may be a name.
func At(host string, port int) Address {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return Address{Host: host, Port: port}
	}
	var room [64]byte
	return Address{host, ip, port, string(ip.AppendTo(room[:0])) == host}
}

// named reports whether the host is a name.
func (a Address) named() bool { return !a.plain && (!a.IP.IsValid() || a.Host != a.IP.String()) }

// same reports whether both are the same place: one port, and the same IP or the same name.
func (a Address) same(b Address) bool {
	if a.Port != b.Port {
		return false
	}
	return a.IP.IsValid() && a.IP == b.IP || strings.EqualFold(a.Host, b.Host)
}

// mayKnow reports whether a server or a Sentinel may be known by that address: by a name only where names are resolved. A file with
// another would not be read again.
func (m *Machine) mayKnow(a Address) bool {
	return a.IP.IsValid() || m.resolveHostnames && a.Host != ""
}

// zero reports whether this is no address.
func (a Address) zero() bool { return a.Host == "" && a.Port == 0 }

// show is the host as it is told: by name where those are announced.
func (m *Machine) show(a Address) string {
	if !a.plain && a.IP.IsValid() && !m.announceHostnames {
		return a.IP.String()
	}
	return a.Host
}

// spaced is an address in the payload of an event.
func (m *Machine) spaced(a Address) string { return m.show(a) + " " + strconv.Itoa(a.Port) }

// joined is an address as the name of a replica.
func (m *Machine) joined(a Address) string { return joined(m.show(a), a.Port) }

func joined(host string, port int) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]:" + strconv.Itoa(port)
	}
	return host + ":" + strconv.Itoa(port)
}
