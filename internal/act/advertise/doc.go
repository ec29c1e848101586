// Package advertise sends and receives VRRP's advertisements: one raw socket for each device and family.
//
// It sends to the group and to single peers, from the source and with the hop limit that VRRP wants, and says of each
// advertisement whether the kernel took it; it hands over all that comes in, readable or not, with who sent it, whom to,
// and how many hops were left. It elects nobody, drops nothing that is wrong (decide/vrrp judges), and does not watch the
// device: when that is replaced by another of its name, or its number changes, a new Hand is due (act/link tells).
//
// A Hand is opened in a thread of the right network namespace. Send may then be called from any goroutine, waits for nobody
// and allocates nothing: it belongs on the goroutine whose timer fires, and never behind a server's answer. Run owns the one that
// receives and calls OnHeard, and ends with its context.
//
// The rules are RFC 5798, section 5.1, and RFC 3768, section 5.2; the options are keepalived's. IPv6's checksum is not left
// to the kernel, which would drop a wrong one without a word.
package advertise
