package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build is what this binary knows of its own making.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// readBuild asks the binary. A build outside a checkout has no commit.
func readBuild() build {
	b := build{Version: "devel", Commit: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// String is one line for people.
func (b build) String() string {
	commit := b.Commit
	if len(commit) > 12 {
		commit = commit[:12]
	}
	if b.Modified {
		commit += ", modified"
	}
	return fmt.Sprintf("redkeep %s (commit %s) %s %s", b.Version, commit, b.Go, b.Platform)
}

// newVersion builds `redkeep version`.
func newVersion(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version, the commit and the compiler",
		Example: "  redkeep version\n  redkeep version -o json",
		Args:    cobra.NoArgs,
	}
	output := addFormat(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		if *output == formatJSON {
			return writeJSON(s.out, readBuild())
		}
		_, err := fmt.Fprintln(s.out, readBuild())
		return err
	}
	return cmd
}
