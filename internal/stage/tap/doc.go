// Package tap is a raw socket on a host's eth0: the frames that pass, with the instant at which the kernel had them.
//
// It does not read frames, which stage/ether does, and it changes nothing on the host.
//
// The stage and its observer open taps, on the thread of the host (Host.Do), and use them from any goroutine: one reads,
// others may write. Close ends a read.
//
// The socket is that of packet(7), the instant that of SO_TIMESTAMPNS, brought from CLOCK_REALTIME to the stage's clock.
package tap
