// Package advert is what VRRP routers say to one another: the advertisement, in versions 2 and 3, over IPv4 and IPv6.
//
// It turns the payload of an IP packet of protocol 112 into a value and back, and says what is wrong with one that it
// can't read, together with what could be read of it, so that its sender can be told by name. It compares nothing with a
// configuration (whose password, which addresses, which interval: decide/vrrp does), knows no IP header, and sends nothing.
// Of authentication it knows none and the plain password; the authentication header of IPsec is named and refused.
//
// act/advertise calls it, from the goroutine that sends and from the one that receives. Append allocates nothing where
// the buffer is large enough.
//
// The rules are RFC 3768, section 5 (version 2), RFC 5798, section 5 (version 3), and RFC 9568, which left the
// pseudo-header out of IPv4's checksum where keepalived has it: both are accepted, the first of the two is written
// unless the other is asked for. That the password's eight bytes are there without a password, too, was measured on
// keepalived 2.2.7.
package advert
