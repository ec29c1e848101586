// Package namespace makes network namespaces that have no name, and finds out why this machine may forbid them.
//
// A namespace here is a locked thread: what must happen inside (starting a program, opening a netlink socket) is run on
// it. The room does not know what a host, a cable or a server is, and it never touches the machine's own namespace.
//
// The stage calls it, from any goroutine. Each Thread owns one operating system thread, which its Close ends. Enter is
// called by main before anything else was started.
//
// The rules come from namespaces(7), user_namespaces(7) and prctl(2) PR_SET_PDEATHSIG. "ip netns" is not used: it
// keeps its namespaces under /run/netns, which an ordinary user can't write.
package namespace
