package bench

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestChooseFaults(t *testing.T) {
	for _, c := range []struct{ list, want string }{
		{"", "kill power-off cut switchover"},
		{"all", "kill power-off cut switchover hang deaf failback agent-kill agent-freeze"},
		{" cut,kill ", "cut kill"},
		{"hang deaf", "hang deaf"},
	} {
		chosen, err := choose(c.list)
		var got []string
		for _, f := range chosen {
			got = append(got, f.Name)
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q chooses %v, %v; want %s", c.list, got, err, c.want)
		}
	}
	if _, err := choose("kill,flood"); err == nil || !strings.Contains(err.Error(), "flood") {
		t.Errorf("an unknown fault gives %v", err)
	}
}

func TestEnlistTakesWhoMeetsAFault(t *testing.T) {
	enlist := func(faults, contenders string) ([]string, error) {
		chosen, err := choose(faults)
		if err != nil {
			t.Fatal(err)
		}
		s := &session{Options: Options{Contenders: contenders}, faults: chosen}
		err = s.enlist()
		var got []string
		for _, c := range s.report.Contenders {
			got = append(got, c.Name)
		}
		return got, err
	}
	if got, err := enlist("cut", ""); err != nil || slices.Contains(got, "bare-script") || !slices.Contains(got, "redkeep-200ms") {
		t.Errorf("with a cut: %v, %v", got, err)
	}
	if got, err := enlist("kill", "keepalived, redkeep"); err != nil || !slices.Equal(got, []string{"redkeep", "keepalived"}) {
		t.Errorf("two by name: %v, %v", got, err)
	}
	if got, err := enlist("failback agent-kill agent-freeze", ""); err != nil || !slices.Equal(got, []string{"redkeep-pair", "keepalived-pair"}) {
		t.Errorf("with what is for a pair: %v, %v", got, err)
	}
	if _, err := enlist("kill", "pacemaker"); err == nil {
		t.Error("an unknown contender was taken")
	}
}

func TestParseCPU(t *testing.T) {
	got, err := parseCPU("4242 (a name) with) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 1")
	if err != nil || got != 2*time.Second {
		t.Errorf("processor time is %v, %v; want 2s", got, err)
	}
	if _, err := parseCPU("4242 (short) S 1"); err == nil {
		t.Error("a short line was read")
	}
}
