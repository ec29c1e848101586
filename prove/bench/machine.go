package bench

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage"
)

// Machine is where a report was measured.
type Machine struct {
	Kernel string `json:"kernel"`
	CPUs   int    `json:"cpus"`
	Go     string `json:"go"`
	Redis  string `json:"redis"`
	// Keepalived is empty where it is not installed.
	Keepalived string `json:"keepalived,omitempty"`
	// Load is the load average of the last minute when the measuring began: what others did on this machine.
	Load string `json:"load"`
}

// ThisMachine looks where this runs.
func ThisMachine() Machine {
	m := Machine{CPUs: runtime.NumCPU(), Go: runtime.Version(), Keepalived: firstLine("keepalived", "--version"), Load: Load()}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	if path, err := stage.FindRedis(); err == nil {
		m.Redis = redisVersion(path)
	}
	return m
}

// redisVersion asks the binary. Under a checking tool's name it would take the argument for a file.
func redisVersion(path string) string {
	cmd := exec.Command(path, "--version")
	cmd.Args[0] = "redis-server"
	said, err := cmd.Output()
	if err != nil {
		return path
	}
	for word := range strings.FieldsSeq(string(said)) {
		if version, ok := strings.CutPrefix(word, "v="); ok {
			return version
		}
	}
	return path
}

func firstLine(name string, args ...string) string {
	said, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(said), "\n")
	return strings.TrimSpace(line)
}

// String says it in a line.
func (m Machine) String() string {
	keepalived := m.Keepalived
	if keepalived == "" {
		keepalived = "no keepalived"
	}
	return fmt.Sprintf("machine: Linux %s, %d CPUs, load %s at the beginning, Redis %s, %s, %s", m.Kernel, m.CPUs, m.Load, m.Redis, keepalived, m.Go)
}
