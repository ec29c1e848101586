package gate

import (
	"fmt"
	"testing"
	"time"
)

const group = "orders"

func TestModes(t *testing.T) {
	here := namespace(t)
	there := neighbour(t, here)
	s := serve(t, "0.0.0.0:0", false)
	h := hand(t, Config{})
	local, own, far := fmt.Sprintf("127.0.0.1:%d", s.port), fmt.Sprintf("10.52.0.1:%d", s.port), fmt.Sprintf("10.52.0.1:%d", s.port)
	reach := func() (errs [3]error) {
		errs[0], errs[1] = try(local, 0), try(own, 0)
		there(func() { errs[2] = try(far, 0) })
		return errs
	}
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
		for i, err := range reach() {
			if step.open && err != nil {
				t.Errorf("%v from %d: %v", step.want.Mode, i, err)
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
