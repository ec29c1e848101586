package sentinel

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/picture"
)

// info answers the sections that are asked for, of those that the face has, in Sentinel's order.
func (c *Client) info(sections []string, r *reply) {
	var out []string
	for _, s := range []struct {
		name string
		text func() string
	}{
		{"server", c.face.infoServer},
		{"clients", c.face.infoClients},
		{"stats", c.face.infoStats},
		{"cpu", infoCPU},
		{"sentinel", c.face.infoSentinel},
	} {
		if asked(sections, s.name) {
			out = append(out, s.text())
		}
	}
	r.bulk(strings.Join(out, "\r\n")) // in RESP3, too: Sentinel has no verbatim string here
}

// asked reports whether the section is among those named; none named means all.
func asked(sections []string, name string) bool {
	return len(sections) == 0 || slices.ContainsFunc(sections, func(s string) bool {
		switch s = strings.ToLower(s); s {
		case "all", "default", "everything":
			return true
		default:
			return s == name
		}
	})
}

func (f *Face) infoServer() string {
	self, now := f.source.Self(), time.Now()
	up := max(0, now.Sub(self.Started))
	executable, _ := os.Executable()
	return lines(append(f.infoRelease(),
		"os:"+runtime.GOOS,
		"arch_bits:"+itoa(strconv.IntSize),
		"process_id:"+itoa(os.Getpid()),
		"process_supervised:"+self.Supervised,
		"run_id:"+self.RunID,
		"tcp_port:"+itoa(self.Port),
		"server_time_usec:"+itoa(now.UnixMicro()),
		"uptime_in_seconds:"+itoa(int64(up/time.Second)),
		"uptime_in_days:"+itoa(int64(up/(24*time.Hour))),
		"hz:"+itoa(self.Hz),
		"configured_hz:10",
		"executable:"+executable,
		"config_file:"+self.ConfigFile,
		"redkeep_version:"+self.Version,
	)...)
}

// infoRelease are the lines that say what this is.
func (f *Face) infoRelease() []string {
	is := releases[f.dialect.flavor]
	all := []string{"# Server", "redis_version:" + is.redis}
	if f.dialect.flavor < Valkey8 {
		return append(all, "redis_mode:sentinel")
	}
	return append(all, "server_name:"+is.server, "valkey_version:"+is.version, "server_mode:sentinel")
}

func (f *Face) infoClients() string {
	return lines("# Clients", "connected_clients:"+itoa(len(f.clients)), "maxclients:"+itoa(f.config.Clients), "blocked_clients:0", "tracking_clients:0")
}

func (f *Face) infoStats() string {
	channels, patterns := map[string]struct{}{}, map[string]struct{}{}
	for c := range f.listeners {
		maps.Copy(channels, c.channels)
		maps.Copy(patterns, c.patterns)
	}
	return lines(
		"# Stats",
		"total_connections_received:"+itoa(f.lastID+int64(f.turnedAway)),
		"total_commands_processed:"+itoa(f.requests),
		"rejected_connections:"+itoa(f.turnedAway),
		"pubsub_channels:"+itoa(len(channels)),
		"pubsub_patterns:"+itoa(len(patterns)),
		"total_error_replies:"+itoa(f.errors),
	)
}

func infoCPU() string {
	var own, children unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &own) // fails for no reason that a process can have
	_ = unix.Getrusage(unix.RUSAGE_CHILDREN, &children)
	seconds := func(t unix.Timeval) string { return fmt.Sprintf("%.6f", time.Duration(t.Nano()).Seconds()) }
	return lines("# CPU", "used_cpu_sys:"+seconds(own.Stime), "used_cpu_user:"+seconds(own.Utime),
		"used_cpu_sys_children:"+seconds(children.Stime), "used_cpu_user_children:"+seconds(children.Utime))
}

func (f *Face) infoSentinel() string {
	self, names := f.source.Self(), f.source.Names()
	tilt, since := 0, int64(-1)
	if self.Tilt {
		tilt, since = 1, int64(self.TiltFor/time.Second)
	}
	out := []string{
		"# Sentinel",
		"sentinel_masters:" + itoa(len(names)),
		"sentinel_tilt:" + itoa(tilt),
		"sentinel_tilt_since_seconds:" + strconv.FormatInt(since, 10),
		"sentinel_running_scripts:" + itoa(self.Running),
		"sentinel_scripts_queue_length:" + itoa(self.Queued),
		"sentinel_simulate_failure_flags:" + itoa(int(self.Simulated)),
	}
	for i, name := range names {
		m, known := f.source.Master(name)
		status, host, port := "ok", m.Host, m.Port
		switch {
		case m.Flags.Has(picture.WatchedODown):
			status = "odown"
		case m.Flags.Has(picture.WatchedSDown):
			status = "sdown"
		}
		if !known {
			host, port = "?", 0
		}
		out = append(out, fmt.Sprintf("master%d:name=%s,status=%s,address=%s:%d,slaves=%d,sentinels=%d",
			i, name, status, host, port, m.Replicas, m.Sentinels+1))
	}
	return lines(out...)
}

// lines ends each line as Redis does.
func lines(all ...string) string { return strings.Join(all, "\r\n") + "\r\n" }
