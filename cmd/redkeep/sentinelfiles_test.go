package main

import (
	"strings"
	"testing"

	"redkeep/internal/show/sentinel"
	"redkeep/internal/speak/sentinelconf"
)

func TestClientsLeaveFilesToTheRest(t *testing.T) {
	small := &sentinelconf.Conf{State: &sentinelconf.State{}}
	small.Masters = []*sentinelconf.Master{{}}
	if n := reservedFiles(small); n != ownFiles+sentinel.PeerPlaces+2*(1+usualReplicas)+usualSentinels {
		t.Errorf("a group of which nothing is known has %d", n)
	}
	small.Masters[0].Sentinels = make([]sentinelconf.Peer, 20)
	if n := reservedFiles(small); n != ownFiles+sentinel.PeerPlaces+2*(1+usualReplicas)+20 {
		t.Errorf("one with 20 Sentinels has %d", n)
	}
	for _, c := range []struct {
		files, reserved uint64
		asked, want     int
	}{{300, 80, 10_000, 220}, {300, 80, 100, 100}, {90, 80, 10_000, 10}, {20, 80, 10_000, fewestClients}, {20, 80, 1, 1}, {1 << 62, 80, 1 << 30, 1 << 30}} {
		if n := clientsWithin(c.files, c.reserved, c.asked); n != c.want {
			t.Errorf("%+v: %d", c, n)
		}
	}
	small.Settings = &sentinelconf.Settings{MaxClients: 10_000}
	if told := lowerClients(small, 300, 92); small.MaxClients != 208 || !strings.Contains(told, "reduced to 208") {
		t.Errorf("%d clients: %s", small.MaxClients, told)
	}
}
