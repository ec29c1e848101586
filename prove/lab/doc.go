// Package lab is the fault matrix: whole nodes, with real servers, on a stage, broken one way at a time, and judged.
//
// It is the proof that the simulator's world is the real one: what is run is the binary, as the README says, with a
// configuration as the README shows it. Every client notes each acknowledgement with CLOCK_BOOTTIME; the judge compares
// them with who held the lease. Tests here call it, one site a test, one after another. It needs root (namespaces, the
// kernel's packet filter) and redis-server; numbers are measured here and asserted nowhere: a slow machine fails no test.
package lab
