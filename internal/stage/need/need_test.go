package need

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// ended is a test that notes how it ended.
type ended struct{ how string }

func (e *ended) Helper()           {}
func (e *ended) Skip(args ...any)  { e.note("skipped: ", args) }
func (e *ended) Fatal(args ...any) { e.note("failed: ", args) }

func (e *ended) note(how string, args []any) {
	if e.how == "" {
		e.how = how + fmt.Sprint(args...)
	}
}

func TestOnlyCheckedMachinesFail(t *testing.T) {
	for ci, want := range map[string]string{"": "skipped: ", "1": "failed: "} {
		t.Setenv("REDKEEP_CI", ci)
		var program, right ended
		Program(&program, "no nft")
		Right(&right, "no namespace")
		if !strings.HasPrefix(program.how, want) || !strings.HasSuffix(program.how, "no nft") {
			t.Errorf("a program with REDKEEP_CI=%q: %s", ci, program.how)
		}
		if os.Getuid() != 0 {
			want = "skipped: "
		}
		if !strings.HasPrefix(right.how, want) || !strings.HasSuffix(right.how, "no namespace") {
			t.Errorf("a right with REDKEEP_CI=%q: %s", ci, right.how)
		}
	}
}
