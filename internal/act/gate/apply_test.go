package gate

import (
	"testing"
	"time"

	"redkeep/internal/stage/cell"
)

const group = "orders"

func TestModes(t *testing.T) {
	here := cell.Open(t)
	there := neighbour(t, here)
	s := serve(t, "[::]:0", false)
	h := hand(t, Config{})
	ports := []uint16{s.port}
	for _, step := range []struct {
		want Want
		open bool
	}{
		{Want{Mode: Absent}, true},
		{Want{Mode: Shut}, false},
		{Want{Mode: Opened}, true},
		{Want{Mode: ReplicationOnly}, false},
		{Want{Mode: Opened, For: time.Minute}, true},
		{Want{Mode: Shut, Watch: true}, true},
		{Want{Mode: Leased, Slot: 3}, false},
		{Want{Mode: Absent}, true},
	} {
		step.want.Ports = ports
		must(t, h.Set(group, step.want))
		for _, r := range routes {
			err := r.try(there, s.port, 0)
			if step.open && err != nil {
				t.Errorf("%v by %s: %v", step.want.Mode, r.name, err)
			}
			if !step.open {
				wantRefused(t, err)
			}
		}
		st, err := h.State(group)
		must(t, err)
		if st.Open != step.open || st.Want.Mode != step.want.Mode {
			t.Errorf("state %+v after %+v", st, step.want)
		}
	}
}
