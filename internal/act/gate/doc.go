// Package gate is the kernel's packet filter in front of the groups' Redis ports: nftables, through netlink.
//
// It holds the table `inet redkeep`, whose chains are always the same; groups are only elements in its maps and sets. A
// map leads from a port to what judges its packets: nothing, a slot's chain, or a refusal. A slot is a set whose
// elements carry timeouts, so that a lease ends in the kernel whatever has become of the agent. Virtual addresses are
// elements of the same kind: who claims one, by ARP (in a table `arp redkeep`, made with the first such address) or by
// neighbour discovery, is judged by the same slots, told in the same transactions. Desired state goes in (Set, Arm,
// Activate), may be repeated, and is acknowledged by the kernel before a call returns.
//
// It does not decide when a port is open, knows nothing of leases, epochs or Redis, does not add or delete addresses, and
// kills no connection (act/flows does). It gates TCP on this host's own ports alone: forwarded traffic and unix sockets
// pass, and so does a claim that is sent by a packet socket, which no hook of these families sees.
//
// Every method of Hand may be called from any goroutine; calls are serialised and take some tens of microseconds, but
// wait while another program commits a large ruleset, so the agent's loop calls them through the goroutine of its gate.
// One more goroutine, which Open starts and Close ends, follows the kernel's notifications and restores what others
// damage.
//
// Addresses is a second, smaller gate with tables of its own: in front of virtual addresses without any port, for
// `redkeep keepalived` at intervals that are too short for the whole seconds of an address's life. Its slots are the same
// ones, and of its methods the same is true.
//
// The rules come from the design of the lease: arm-before-send and the slots (a deadline that starts before the request
// leaves, and a switch that carries no time), reply-gate (answers are judged too), reads-off-first (one transaction from
// an open port to a slot), gate-at-boot. ARCHITECTURE.md has the argument.
package gate
