package keepalivedconf

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// TestGoldens reads each archive in testdata: the first .conf is a host's file, peer*.conf are those of its peers, and other
// files may be included. A file named host says what there is on the host: "interface NAME ADDRESS..." and "user NAME"; files
// whose names are absolute paths, with a mode after a blank, are its programs. What comes of it is below.
func TestGoldens(t *testing.T) {
	for _, name := range goldens(t) {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			given := slices.DeleteFunc(slices.Clone(archive.Files), func(f txtar.File) bool {
				return f.Name == "problems" || f.Name == "repaired" || f.Name == "then" || f.Name == "config"
			})
			got := judged(t, given)
			if *update {
				archive.Files = append(given, got...)
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want := archive.Files[len(given):]
			for i := range max(len(got), len(want)) {
				if i >= len(want) || i >= len(got) || want[i].Name != got[i].Name || string(want[i].Data) != string(got[i].Data) {
					t.Errorf("now it is\n%s", txtar.Format(&txtar.Archive{Files: got}))
					break
				}
			}
		})
	}
}

// goldens lists the files of testdata.
func goldens(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	return names
}

// judged is what is said of one archive: the problems, the repaired file and what is still wrong with that, or the values.
func judged(t *testing.T, given []txtar.File) []txtar.File {
	t.Helper()
	c, list := allProblems(given, given[0].Data)
	if string(c.Files[0].Append(nil)) != string(given[0].Data) {
		t.Error("printed, it is another file")
	}
	out := []txtar.File{{Name: "problems", Data: told(list)}}
	if text := Repaired(c.Files[0], list); string(text) != string(given[0].Data) {
		c, list = allProblems(given, text)
		out = append(out, txtar.File{Name: "repaired", Data: text}, txtar.File{Name: "then", Data: told(list)})
	}
	if len(Serious(list)) == 0 {
		out = append(out, txtar.File{Name: "config", Data: []byte(dump(c))})
	}
	return out
}

// told prints problems one a line.
func told(list []Problem) []byte {
	var b strings.Builder
	for _, p := range list {
		if p.Warning {
			b.WriteString("warning: ")
		}
		fmt.Fprintln(&b, p)
	}
	return []byte(b.String())
}

// allProblems reads the first file, with another text, and all that belongs to it.
func allProblems(given []txtar.File, text []byte) (*Config, []Problem) {
	host := fakeHost{}
	onHost := false
	configs := []*Config{}
	var list []Problem
	for i, f := range given {
		isPeer := strings.HasPrefix(f.Name, "peer") && strings.HasSuffix(f.Name, ".conf")
		switch {
		case i == 0 || isPeer:
			if i == 0 {
				f.Data = text
			}
			c, err := Parse(f.Name, f.Data, including(given))
			configs = append(configs, c)
			var wrong Errors
			_ = errors.As(err, &wrong)
			list = append(append(list, wrong...), c.Warnings...)
		case f.Name == "host":
			onHost = true
			host.lines = strings.Split(string(f.Data), "\n")
		default:
			host.files = append(host.files, f)
		}
	}
	if onHost {
		list = append(list, configs[0].On(host)...)
	}
	return configs[0], append(list, Compare(configs)...)
}

// including finds included files in an archive.
func including(files []txtar.File) Include {
	return func(_, pattern string) ([]Source, error) {
		var found []Source
		for _, f := range files {
			if ok, _ := filepath.Match(pattern, f.Name); ok {
				found = append(found, Source{f.Name, f.Data})
			}
		}
		if len(found) == 0 && !strings.ContainsAny(pattern, "*?[") {
			return nil, errors.New("no such file or directory")
		}
		return found, nil
	}
}

// fakeHost is the host of an archive.
type fakeHost struct {
	lines []string
	files []txtar.File
}

func (h fakeHost) Interfaces() map[string][]netip.Prefix {
	all := map[string][]netip.Prefix{}
	for _, l := range h.lines {
		if words := strings.Fields(l); len(words) > 1 && words[0] == "interface" {
			all[words[1]] = nil
			for _, w := range words[2:] {
				all[words[1]] = append(all[words[1]], netip.MustParsePrefix(w))
			}
		}
	}
	return all
}

func (h fakeHost) Program(name string) (Program, error) {
	for _, f := range h.files {
		path, mode, _ := strings.Cut(f.Name, " ")
		if path == name || filepath.Base(path) == name {
			mode, unsafe, _ := strings.Cut(mode, " ")
			n, _ := strconv.ParseUint(mode, 8, 32)
			return Program{Path: path, Mode: fs.FileMode(n), Unsafe: unsafe, Text: f.Data}, nil
		}
	}
	return Program{}, errors.New("no such file")
}

func (h fakeHost) User(name string) bool  { return slices.Contains(h.lines, "user "+name) }
func (h fakeHost) Group(name string) bool { return slices.Contains(h.lines, "user "+name) }

// dump prints the values of a configuration.
func dump(c *Config) string {
	var b strings.Builder
	if g := c.Global; g != (Global{}) {
		fmt.Fprintf(&b, "global user %q %q security %v dynamic %v delays %v %v\n", g.ScriptUser, g.ScriptGroup, g.ScriptSecurity, g.DynamicInterfaces,
			g.StartupDelay, g.DelayAfterBoot)
		for _, f := range []Fifo{g.VRRPFifo, g.Fifo} {
			if f.Script != nil {
				fmt.Fprintf(&b, "fifo %s %q\n", f.Path, f.Script.Args)
			}
		}
	}
	for _, s := range c.Scripts {
		fmt.Fprintf(&b, "script %s %q interval %v timeout %v rise %d fall %d weight %+v user %q %q init_fail %v\n", s.Name, s.Command.Args, s.Interval, s.Timeout, s.Rise, s.Fall,
			s.Weight, s.Command.User, s.Command.Group, s.InitFail)
	}
	for _, p := range c.Processes {
		fmt.Fprintf(&b, "process %s %q quorum %d weight %+v\n", p.Name, p.Args, p.Quorum, p.Weight)
	}
	for _, i := range c.Instances {
		fmt.Fprintf(&b, "instance %s on %s vrid %d priority %d version %d every %v master %v nopreempt %v delay %v password %v\n", i.Name, i.Interface, i.VRID, i.Priority,
			i.Version, i.AdvertInt, i.Master, i.NoPreempt, i.PreemptDelay, i.Password)
		for _, v := range i.VIPs {
			fmt.Fprintf(&b, "  vip %s dev %q label %q brd %q scope %q\n", v.Prefix, v.Dev, v.Label, v.Broadcast, v.Scope)
		}
		for _, v := range i.Excluded {
			fmt.Fprintf(&b, "  excluded %s\n", v.Prefix)
		}
		if i.Unicast() {
			fmt.Fprintf(&b, "  from %s to", i.Source)
			for _, p := range i.Peers {
				fmt.Fprintf(&b, " %s", p.Addr)
			}
			fmt.Fprintf(&b, " check %v\n", i.CheckSource)
		}
		dumpTracks(&b, i.Scripts, i.Processes, i.Interfaces)
		dumpNotify(&b, i.Notify)
		fmt.Fprintf(&b, "  announce %+v\n", i.Announce)
	}
	for _, g := range c.Groups {
		fmt.Fprintf(&b, "group %s of %q\n", g.Name, g.Instances)
		dumpTracks(&b, g.Scripts, g.Processes, g.Interfaces)
		dumpNotify(&b, g.Notify)
	}
	return b.String()
}

func dumpTracks(b *strings.Builder, scripts, processes, interfaces []Track) {
	for _, t := range slices.Concat(scripts, processes, interfaces) {
		fmt.Fprintf(b, "  track %s %+v\n", t.Name, t.Weight)
	}
}

func dumpNotify(b *strings.Builder, n Notify) {
	for i, c := range []*Command{n.Master, n.Backup, n.Fault, n.Stop, n.Any, n.Deleted} {
		if c != nil {
			fmt.Fprintf(b, "  notify %s %q %s %s\n", []string{"master", "backup", "fault", "stop", "any", "deleted"}[i], c.Args, c.User, c.Group)
		}
	}
}
