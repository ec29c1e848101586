package main

import (
	"bytes"
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"redkeep/internal/agent/keepalived"
)

// TestKeepalivedStatus is what a person reads of routers: one that is the master, and one that holds back.
func TestKeepalivedStatus(t *testing.T) {
	since := time.Date(2026, 3, 1, 12, 0, 7, 0, time.Local)
	addr := func(a string, here bool) []keepalived.Address {
		return []keepalived.Address{{Addr: netip.MustParseAddr(a), Dev: "eth0", Here: here}}
	}
	var out bytes.Buffer
	err := printKeepalivedStates(&out, []keepalived.Status{{Instances: []keepalived.Instance{
		{Name: "VI_1", State: "MASTER", Since: since, Priority: 90, Configured: 150, Master: "10.77.0.11", Here: true, Addresses: addr("10.77.0.100", true),
			Checks: []keepalived.Check{{Name: "script chk_redis", Weight: -60}}},
		{Name: "VI_2", State: "BACKUP", Since: since, Priority: 100, Configured: 100, Addresses: addr("10.77.0.101", false), Held: true,
			Troubles: []keepalived.Trouble{{Text: "interval of 10.77.0.12: 2s, ours 1s"}}},
		{Name: "VI_3", State: "MASTER", Step: "promoting", Priority: 100, Configured: 100, Interface: "eth1", Sourceless: true,
			Checks: []keepalived.Check{{Name: "process redis", Pending: true}, {Name: "script chk_owner"}, {Name: "interface eth1", Fault: true}}},
	}}})
	want := `INSTANCE  STATE              SINCE                PRIORITY   MASTER                 PROOF            ADDRESSES
VI_1      MASTER             2026-03-01 12:00:07  90 of 150  10.77.0.11, this host  unauthenticated  10.77.0.100 here on eth0
VI_2      BACKUP             2026-03-01 12:00:07  100        -                      unauthenticated  10.77.0.101 not here
VI_3      MASTER, promoting  -                    100        -                      unauthenticated  -
VI_1: check script chk_redis failed (weight -60)
VI_2: would be the master, and holds back beside a router that it can't understand; mend that one or this
VI_2: interval of 10.77.0.12: 2s, ours 1s
VI_3: no address of its own on eth1 to speak from
VI_3: check process redis has no result yet
VI_3: check script chk_owner failed (its weight doesn't count here)
VI_3: check interface eth1 failed
unauthenticated: VRRP can't prove who speaks; whoever reaches the segment can say to be the master
`
	if err != nil || out.String() != want {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestKeepalivedStatusOfNobody says that nothing runs that can be asked; and it is about no file.
func TestKeepalivedStatusOfNobody(t *testing.T) {
	text := formatText
	err := keepalivedCheck{output: &text}.ask(context.Background(), streams{}, t.TempDir())
	const want = "no redkeep keepalived runs here that can be asked; start it with: redkeep keepalived -f /etc/keepalived/keepalived.conf, or see its log if it runs"
	if c, _ := codeOf(err); c != exitNoAgent || err == nil || err.Error() != want {
		t.Errorf("%d, %v", c, err)
	}
	for _, flags := range []string{"--status -t", "--status -f x", "--status -p x", "--status --repair"} {
		var errs bytes.Buffer
		got := execute(context.Background(), append([]string{"keepalived"}, strings.Fields(flags)...), streams{in: strings.NewReader(""), out: &errs, err: &errs})
		if got != exitUsage || !strings.Contains(errs.String(), "it asks what runs") {
			t.Errorf("%s: %d: %s", flags, got, errs.String())
		}
	}
}
