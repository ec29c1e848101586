package keepalivedconf

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestWarningsHideNoMistake is a file with more warnings than are told, and a mistake behind them: it must not be run.
func TestWarningsHideNoMistake(t *testing.T) {
	var b strings.Builder
	for i := range mostProblems + 1 {
		fmt.Fprintf(&b, "vrrp_script c%d {\nscript \"/usr/bin/pidof redis%d\"\n}\n", i, i)
	}
	b.WriteString("vrrp_instance V {\ninterface eth0\nvirtual_router_id 0\nbogus_keyword 1\nvirtual_ipaddress {\n10.0.0.100\n}\ntrack_script {\nnothing\n}\n}\n")
	c, err := Parse("f", []byte(b.String()), nil)
	var wrong Errors
	if _ = errors.As(err, &wrong); len(wrong) != 3 || len(c.Warnings) != mostProblems {
		t.Errorf("%d warnings, and the mistakes %v", len(c.Warnings), err)
	}
}
