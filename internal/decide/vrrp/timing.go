package vrrp

import "time"

// skew is Skew_Time: the higher the priority, the sooner a backup takes over. Version 2 has seconds whatever the interval
// (RFC 3768, section 6.1), version 3 has the interval of the present master (RFC 5798, section 6.1).
func skew(version, priority uint8, masterInterval time.Duration) time.Duration {
	if version == 2 {
		masterInterval = time.Second
	}
	return time.Duration(256-int(priority)) * masterInterval / 256
}

// masterDown is Master_Down_Interval, with the RFCs' three advertisements or as many as are configured.
func masterDown(adverts int, version, priority uint8, masterInterval time.Duration) time.Duration {
	return time.Duration(adverts)*masterInterval + skew(version, priority, masterInterval)
}

const (
	// patience bounds each step up or down; hands have their own, shorter limits.
	patience = 10 * time.Second
	// leastAnswer is the part of an interval that must pass between two answers to lower routers, and mostRivals how many
	// troublesome peers are remembered: whoever can reach the segment can send as many as he likes.
	leastAnswer = 8
	mostRivals  = 16
	// probes is how often in an interval it is asked who has an address that somebody may be leaving.
	probes = 20
)
