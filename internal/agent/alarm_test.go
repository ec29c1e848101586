package agent

import (
	"context"
	"testing"
	"time"
)

// TestAlarmEndsInTheMiddleOfATurn: the loop sets it when it is closed already, and has to see the end and no failure.
func TestAlarmEndsInTheMiddleOfATurn(t *testing.T) {
	a, err := newAlarm()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx) }()
	if err := a.set(ctx, time.Millisecond); err != nil {
		t.Fatal(err)
	}
	within(t, a.rings, "ring")
	cancel()
	if err := within(t, ended, "end of run"); err != nil {
		t.Errorf("run: %v", err)
	}
	_ = a.file.Close() // run has asked for that, in a goroutine of its own
	if err := a.set(ctx, time.Millisecond); err != nil {
		t.Errorf("set after the end: %v", err)
	}
	if err := a.set(context.Background(), time.Millisecond); err == nil {
		t.Error("an alarm that is closed while its context lasts is a failure, and was none")
	}
}

func within[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(5 * time.Second):
		t.Fatalf("no %s within 5 s", what)
		panic("unreachable")
	}
}
