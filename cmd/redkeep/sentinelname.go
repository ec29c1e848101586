package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"redkeep/internal/show/sentinel"
)

// program is whose Sentinel a process stands in for: that decides which commands it knows, and what it calls itself.
type program struct {
	// name is the command's, and family what people call it.
	name, family string
	// version is the one that a question for it gets, and config files are read as.
	version string
	// flavor is the release whose commands clients find; observe is to change nothing.
	flavor  sentinel.Flavor
	observe bool
}

// The programs that this binary stands in for.
var (
	redisSentinel  = program{name: "redis-sentinel", family: "Redis", version: "7.0.15"}
	valkeySentinel = program{name: "valkey-sentinel", family: "Valkey", version: "9.0.0", flavor: sentinel.Valkey9}
)

// calledSentinel reports whether this binary was called by a Sentinel's name, as redis-sentinel itself is a server called by another one.
// args are the process's, its name first.
func calledSentinel(args []string) (program, bool) {
	if len(args) == 0 {
		return program{}, false
	}
	name := filepath.Base(args[0])
	for _, p := range []program{redisSentinel, valkeySentinel} {
		server := strings.Replace(p.name, "-sentinel", "-server", 1)
		if strings.Contains(name, p.name) || strings.Contains(name, server) && slices.Contains(args[1:], "--sentinel") {
			return p, true
		}
	}
	return program{}, false
}

// printVersion prints one line in the form of the real one, whose v= other programs look for.
func (p program) printVersion(w io.Writer) {
	_, _ = fmt.Fprintf(w, "%s server v=%s sha=00000000:0 malloc=go bits=%d build=redkeep-%s\n", p.family, p.version, strconv.IntSize, readBuild().Version)
}

// printUsage prints what this program takes under its other names.
func (p program) printUsage(w io.Writer) {
	_, _ = fmt.Fprintf(w, `Usage: %[1]s [--observe] [--as RELEASE] FILE [--option value ...]
       %[1]s -v | --version
       %[1]s -h | --help

This is Redkeep in the place of %[1]s: it reads the same FILE, keeps its state there, and
talks to clients and to other Sentinels as that does. Each --option is a line after the FILE's last.
--observe changes nothing and says what it would have done; --as is the release whose commands clients
find: redis-7.0, redis-7.2, valkey-8 or valkey-9. They stand before FILE: redkeep sentinel --help.

Examples:
       %[1]s /etc/redis/sentinel.conf
       %[1]s /etc/redis/sentinel.conf --port 5000 --loglevel verbose
       %[1]s /etc/redis/sentinel.conf --supervised systemd --daemonize no
       redkeep --help
`, p.name)
}
