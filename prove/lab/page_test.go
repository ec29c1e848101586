package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// written is a page of the documentation with the lines that are given.
func written(t *testing.T, lines ...string) *page {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := readPage(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPage reads one of each thing that a page may have.
func TestPage(t *testing.T) {
	p := written(t,
		"Ask with `redkeep status -o json`, or [read](more.md#part).", "", "```console",
		"h1# redkeep gate show   # exits 4", "GROUP  PORTS", "", "app$ redis-cli PING", "```", "<!-- lab: cut h1 -->",
		"```yaml", "# /etc/redkeep/redkeep.yaml, mode 0600", "groups: {}", "```", "",
		"    make demo   # a comment", "", "and", "", "    # /etc/x.yaml", "    groups: {}", "", "    redkeep run -c FILE", "",
	)
	want := []step{
		{line: 4, where: "h1", command: "redkeep gate show", exits: 4, output: []string{"GROUP  PORTS", ""}},
		{line: 7, where: "app", command: "redis-cli PING"},
		{line: 9, direction: "cut h1"},
		{line: 11, yaml: "# /etc/redkeep/redkeep.yaml, mode 0600\ngroups: {}\n", path: "/etc/redkeep/redkeep.yaml"},
		{line: 15, command: "make demo"},
		{line: 19, yaml: "# /etc/x.yaml\ngroups: {}\n", path: "/etc/x.yaml"},
		{line: 22, command: "redkeep run -c FILE"},
	}
	if d := cmp.Diff(want, p.steps, cmp.AllowUnexported(step{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if len(p.spoken) < 2 || p.spoken[0].text != "redkeep status -o json" || p.links[0].text != "more.md#part" {
		t.Errorf("spoken %v, links %v", p.spoken, p.links)
	}
}

// TestCompare is what a page may leave out of what is printed, and what it may not.
func TestCompare(t *testing.T) {
	printed := strings.Split("seen by h1, redkeep 0.1.0\n\norders: h1 is master (epoch 7, lease 1s, 812 ms left)\n  h2  10.77.0.12  -", "\n")
	for shown, good := range map[string]bool{
		strings.Join(printed, "\n"): true,
		"seen by h1, redkeep …\n\norders: h1 is master (epoch 2, lease 200ms, 9 s left)\n h2 10.77.0.12 -": true,
		"...\norders: h1 is master (epoch 1,…\n...":                                                        true,
		"seen by h2, redkeep 0.1.0\n...":                                                                   false,
		"...\n  h2  10.77.0.13  -":                                                                         false,
		"...\norders: h1 is master (epoch 7, lease 1s)\n...":                                               false,
		"...\n  h2  10.77.0.12  5":                                                                         false,
		"orders: h1 is master (epoch 7, lease 1s, 812 ms left)":                                            false,
		"": false,
	} {
		if err := compare(strings.Split(shown, "\n"), printed); (err == nil) != good {
			t.Errorf("%q: %v", shown, err)
		}
	}
}

// TestDocsConvict has pages that nobody could follow: each must be found out.
func TestDocsConvict(t *testing.T) {
	s := &readers{t: t, tree: tree}
	for _, line := range []string{"frobnicate --now", "redkeep status", "make nothing", "systemctl start redkeep", "redkeep run -c other.yaml"} {
		for _, st := range written(t, "```sh", line, "```").steps {
			if s.follow(t.Context(), st) == nil {
				t.Errorf("%q on nobody's host passes", line)
			}
		}
	}
	h := help{}
	for _, line := range []string{"redkeep stauts", "redkeep status --wat", "redkeep gate show --for 10m", "redkeep --all"} {
		if h.knows(line) == nil {
			t.Errorf("%q passes", line)
		}
	}
	for _, line := range []string{"redkeep gate show orders -o json", "redkeep", "redkeep leave --group orders", "redkeep switchover [--to NODE]"} {
		if err := h.knows(line); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
}
