// Package flows ends the TCP connections of this host's server ports: SOCK_DESTROY, through netlink.
//
// A destroyed socket sends a reset and drops what it had still to send, which closing it would not: an answer left in
// its queue would go out at the next opening. Resets pass a shut gate. It does not decide whose connections end, does not
// keep new ones out (act/gate does), and does not speak to the server.
//
// Its functions may be called from any goroutine, of a thread in the right network namespace. They take about a
// millisecond for a hundred connections and are called by hands, never by the loop.
//
// The rule is that of letting go and of lapsing: shut the gate, end the connections, delete the address. If the address
// goes first, clients that wait for an answer hang.
package flows
