package info

import (
	"strconv"
	"strings"
	"time"

	"redkeep/internal/words"
)

// Report is one answer to INFO, cut into its fields. The zero Report has none.
type Report struct {
	fields   map[string]string
	sections map[string]bool
}

// Parse cuts the text of an answer. It never fails: a line that is neither a field nor a section's title is skipped.
func Parse(text string) Report {
	r := Report{fields: map[string]string{}, sections: map[string]bool{}}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if title, ok := strings.CutPrefix(line, "#"); ok {
			r.sections[strings.ToLower(strings.TrimSpace(title))] = true
			continue
		}
		if name, value, ok := strings.Cut(line, ":"); ok {
			r.fields[name] = value
		}
	}
	return r
}

// Get returns a field's text, and whether the answer had it.
func (r Report) Get(name string) (string, bool) {
	v, ok := r.fields[name]
	return v, ok
}

// number returns the first of the named fields that is there and is a number. Redis has renamed some of its fields;
// the newer name comes first.
func (r Report) number(names ...string) (int64, bool) {
	for _, name := range names {
		if n, err := strconv.ParseInt(r.fields[name], 10, 64); err == nil {
			return n, true
		}
	}
	return 0, false
}

// Process is what INFO says of the server's process: claims, to be proven before they are relied on.
type Process struct {
	// PID is process_id in the server's own pid namespace; 0 when it was not said.
	PID int
	// Uptime is uptime_in_seconds.
	Uptime time.Duration
	// Executable and ConfigFile are paths in the server's own mount namespace; a server without a file has "".
	Executable, ConfigFile string
	// Port is tcp_port; 0 when it was not said, and for a server with TLS only.
	Port uint16
	// Mode is redis_mode: standalone, sentinel or cluster.
	Mode string
}

// Process returns the claims of the section "server".
func (r Report) Process() Process {
	pid, _ := r.number("process_id")
	uptime, _ := r.number("uptime_in_seconds")
	mode := r.fields["server_mode"]
	if mode == "" {
		mode = r.fields["redis_mode"]
	}
	if pid < 0 || pid > 1<<30 {
		pid = 0
	}
	return Process{
		PID:        int(pid),
		Uptime:     seconds(uptime),
		Executable: r.fields["executable"],
		ConfigFile: r.fields["config_file"],
		Port:       port(r.fields["tcp_port"]),
		Mode:       mode,
	}
}

// Persistence is what the section "persistence" says of the server's writes to disk.
type Persistence struct {
	// SaveFailed says that the last snapshot failed. Whether clients' writes are refused for that is a matter of settings.
	SaveFailed bool
	// AppendFailed says that the last write to the append-only file failed, or its last sync: clients' writes are refused.
	AppendFailed bool
}

// Persistence returns the section, and whether the answer had it. A file that is not written any more fails nobody.
func (r Report) Persistence() (Persistence, bool) {
	save, ok := r.fields["rdb_last_bgsave_status"]
	p := Persistence{SaveFailed: save == "err", AppendFailed: r.fields["aof_last_write_status"] == "err" && r.fields["aof_enabled"] != "0"}
	return p, ok
}

// seconds guards against a nonsense number of seconds that would overflow.
func seconds(n int64) time.Duration {
	if n < 0 || n > 1<<32 {
		return 0
	}
	return time.Duration(n) * time.Second
}

// port reads a port; 0 when it is none.
func port(text string) uint16 {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// Unknown is a server of which nothing has been read yet: what Merge should start from.
func Unknown() words.Server {
	return words.Server{Keys: -1, Position: words.Position{Second: -1}, Priority: 100, ReadOnly: true}
}
