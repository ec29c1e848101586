package vip

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"time"
)

// TestLiveWhenSet asks the kernel whether it takes packets to an address as soon as Set has returned. Where it was waited for in vain, a line says so.
func TestLiveWhenSet(t *testing.T) {
	segmentOf(t, 1)
	var lines bytes.Buffer
	log := slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h, err := Open(Config{Group: group, Addresses: []Address{{Addr: vip6}}, Log: log})
	must(t, err)
	defer func() { must(t, h.Close()) }()
	for range 200 {
		lines.Reset()
		must(t, h.Set(t.Context(), true, time.Minute))
		live, err := h.kernel.live(vip6)
		must(t, err)
		if !live && !bytes.Contains(lines.Bytes(), []byte("announced early")) {
			t.Fatal("the kernel does not take packets to an address that is announced")
		}
		must(t, h.Set(t.Context(), false, 0))
	}
}

// TestAwaitLiveIsBounded waits for addresses that this host has not: one of its subnet, and one of none.
func TestAwaitLiveIsBounded(t *testing.T) {
	segmentOf(t, 1)
	h, err := Open(Config{Group: group, Addresses: []Address{{Addr: vip6}}})
	must(t, err)
	defer func() { must(t, h.Close()) }()
	for _, addr := range []netip.Addr{vip6, netip.MustParseAddr("fd78::100")} {
		begin := time.Now()
		err := h.kernel.awaitLive(addr)
		if took := time.Since(begin); !errors.Is(err, errNotLive) || took < liveLimit {
			t.Errorf("%s: %v after %v", addr, err, took)
		}
	}
}
