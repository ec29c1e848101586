package lab

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"redkeep/internal/stage/clock"
	"redkeep/internal/stage/sentinels"
)

// What payloads are made of.
const (
	anyAddr     = `\S+ \d+`
	anyMaster   = `master \S+ ` + anyAddr
	anySlave    = `slave \S+:\d+ ` + anyAddr + ` @ \S+ ` + anyAddr
	anySentinel = `sentinel [0-9a-f]{40} ` + anyAddr + ` @ \S+ ` + anyAddr
	anyone      = `(` + anyMaster + `|` + anySlave + `|` + anySentinel + `)`
)

// payloads is the shape of every channel's payload, and the level at which the event is logged.
var payloads = map[string]struct {
	level byte
	shape *regexp.Regexp
}{
	"+monitor": shape('#', anyMaster+` quorum \d+`), "-monitor": shape('#', anyMaster),
	"+set":                 shape('#', anyMaster+` \S+ .*`),
	"+config-update-from":  shape('#', anySentinel),
	"+reset-master":        shape('#', anyMaster),
	"+slave":               shape('*', anySlave),
	"+sentinel":            shape('*', anySentinel),
	"+sdown":               shape('#', anyone),
	"-sdown":               shape('#', anyone),
	"+odown":               shape('#', anyMaster+` #quorum \d+/\d+`),
	"-odown":               shape('#', anyMaster),
	"+reboot":              shape('*', anyone),
	"+role-change":         shape('-', anyone+` new reported role is (master|slave)`),
	"-role-change":         shape('-', anyone+` new reported role is (master|slave)`),
	"+new-epoch":           shape('#', `\d+`),
	"+try-failover":        shape('#', anyMaster),
	"+vote-for-leader":     shape('#', `[0-9a-f]{40} \d+`),
	"+elected-leader":      shape('#', anyMaster),
	"+failover-end":        shape('#', anyMaster),
	"+selected-slave":      shape('#', anySlave),
	"+promoted-slave":      shape('#', anySlave),
	"+slave-reconf-sent":   shape('*', anySlave),
	"+slave-reconf-inprog": shape('*', anySlave),
	"+slave-reconf-done":   shape('*', anySlave),
	"+convert-to-slave":    shape('*', anySlave),
	"+fix-slave-config":    shape('*', anySlave),
	"+switch-master":       shape('#', `\S+ `+anyAddr+` `+anyAddr),
	"+tilt":                shape('#', `#tilt mode entered`),
	"-tilt":                shape('#', `#tilt mode exited`),
	"-script-error":        shape('#', `\S+ \d+ \d+`),
	"-script-timeout":      shape('#', `\S+ \d+`),

	"+failover-state-select-slave":       shape('#', anyMaster),
	"+failover-state-send-slaveof-noone": shape('*', anySlave),
	"+failover-state-wait-promotion":     shape('*', anySlave),
	"+failover-state-reconf-slaves":      shape('#', anyMaster),
	"+failover-end-for-timeout":          shape('#', anyMaster),
	"-failover-abort-not-elected":        shape('#', anyMaster),
	"-failover-abort-no-good-slave":      shape('#', anyMaster),
	"-failover-abort-slave-timeout":      shape('#', anyMaster),
	"-slave-reconf-sent-timeout":         shape('*', anySlave),
	"+slave-reconf-sent-be":              shape('*', anySlave),
	"+sentinel-address-switch":           shape('*', anyMaster+` ip \S+ port \d+ for [0-9a-f]{40}`),
	"+sentinel-address-update":           shape('*', anySentinel+` \d+ additional matching instances`),
	"+sentinel-invalid-addr":             shape('*', anySentinel),
}

func shape(level byte, payload string) (of struct {
	level byte
	shape *regexp.Regexp
}) {
	of.level, of.shape = level, regexp.MustCompile(`^`+payload+`$`)
	return of
}

// judgeEvents holds all that a Sentinel told against the shapes, and against its log: what subscribers heard stands there, at
// its level and in its order.
func (q *quorum) judgeEvents(s *sentinels.Sentinel) {
	events := s.Since(0)
	log, err := s.Log()
	if err != nil {
		q.t.Error(err)
	}
	ends := s.Killed()
	if p := s.Process(); p != nil {
		if end, err := p.End(); err != nil {
			ends = append(ends, end) // its host lost its power
		}
	}
	at := 0
	for _, e := range events {
		want, known := payloads[e.Channel]
		if !known || !want.shape.MatchString(e.Payload) {
			q.t.Errorf("sentinel on %s (%s) told %q: no such event", s.Host().Name(), s.Program().Name, e)
			continue
		}
		i := slices.IndexFunc(log[at:], func(l sentinels.Line) bool { return l.Text == e.String() })
		if i < 0 && slices.ContainsFunc(ends, func(at clock.Instant) bool { return at < e.At.Add(200*time.Millisecond) && e.At < at.Add(time.Second) }) {
			continue // a line may be written just after its event, and who is killed writes no more; the event may be read here a little later
		}
		if i < 0 {
			q.t.Errorf("sentinel on %s (%s) told %q, and its log has it not, or not in this place", s.Host().Name(), s.Program().Name, e)
			continue
		}
		at += i + 1
		if l := log[at-1]; l.Level != want.level {
			q.t.Errorf("sentinel on %s (%s) logged %q at level %c and not %c", s.Host().Name(), s.Program().Name, e, l.Level, want.level)
		}
	}
}

// judgeSwitches: each switch that a Sentinel told of begins where the one before it ended, for each group.
func (q *quorum) judgeSwitches(s *sentinels.Sentinel) {
	log, err := s.Log()
	if err != nil {
		q.t.Error(err)
	}
	at := map[string]string{}
	for _, l := range log {
		f := strings.Fields(l.Text)
		if len(f) == 0 || f[0] != "+switch-master" && f[0] != "+monitor" {
			continue
		}
		if f[0] == "+monitor" {
			at[f[2]] = f[3] + " " + f[4] // after a restart as in the file
			continue
		}
		if before, known := at[f[1]]; known && before != f[2]+" "+f[3] {
			q.t.Errorf("sentinel on %s (%s) switched from %s %s, and the master was %s", s.Host().Name(), s.Program().Name, f[2], f[3], before)
		}
		at[f[1]] = f[4] + " " + f[5]
	}
}

// story is the channels of a failover in their order, with the kind of instance that they are about: what is told by the way,
// at an instant that the network decides, is left out.
func story(events []sentinels.Event) []string {
	var told []string
	for _, e := range events {
		about, _, _ := strings.Cut(e.Payload, " ")
		switch e.Channel {
		case "+sdown", "-sdown":
			if about == "master" {
				told = append(told, e.Channel)
			}
		case "+odown":
			// Answers of others are old after a few periods, and new when they come late: only the first time counts.
			if !slices.Contains(told, e.Channel) {
				told = append(told, e.Channel)
			}
		case "-odown", "+role-change", "-role-change", "+reboot", "+sentinel", "+slave-reconf-sent", "+slave-reconf-inprog", "+slave-reconf-done",
			"+set", "+convert-to-slave", "+fix-slave-config":
		default:
			told = append(told, e.Channel)
		}
	}
	return told
}

// led is what the leader of a failover tells, and followed what the others do, whom it has asked for their votes. When these see
// the master down themselves is another matter.
var (
	led = strings.Fields("+sdown +odown +new-epoch +try-failover +vote-for-leader +elected-leader +failover-state-select-slave " +
		"+selected-slave +failover-state-send-slaveof-noone +failover-state-wait-promotion +promoted-slave " +
		"+failover-state-reconf-slaves +failover-end +switch-master +slave +slave")
	followed = strings.Fields("+new-epoch +vote-for-leader +config-update-from +switch-master +slave +slave")
)

// tellsOf wants a story, to its end. One that does not begin with the master going down is told without that.
func (q *quorum) tellsOf(i, mark int, want []string) {
	q.t.Helper()
	var got []string
	q.await(soon, fmt.Sprintf("end of sentinel %d's story", i), func() bool {
		got = story(q.members[i].Since(mark))
		if want[0] != "+sdown" {
			got = slices.DeleteFunc(got, func(c string) bool { return c == "+sdown" || c == "-sdown" || c == "+odown" })
		}
		return len(got) >= len(want)
	})
	if !slices.Equal(got[:len(want)], want) {
		q.t.Errorf("sentinel %d (%s) told\n%s\nand not\n%s", i, q.members[i].Program().Name, strings.Join(got, " "), strings.Join(want, " "))
	}
}
