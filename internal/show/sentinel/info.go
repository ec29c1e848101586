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
func (c *client) info(sections []string, r *reply) {
	n := c.face.config.Picture()
	var out []string
	for _, s := range []struct {
		name string
		text func(picture.Node) string
	}{{"server", infoServer}, {"clients", c.face.infoClients}, {"stats", c.face.infoStats}, {"cpu", infoCPU}, {"sentinel", c.face.infoSentinel}} {
		if asked(sections, s.name) {
			out = append(out, s.text(n))
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

func infoServer(n picture.Node) string {
	now := time.Now()
	up := max(0, now.Sub(n.Started))
	executable, _ := os.Executable()
	return lines(
		"# Server",
		"redis_version:"+redisVersion,
		"redis_mode:sentinel",
		"os:"+runtime.GOOS,
		"arch_bits:"+itoa(strconv.IntSize),
		"process_id:"+itoa(os.Getpid()),
		"process_supervised:no",
		"run_id:"+digest(fmt.Sprintf("redkeep run %s %d %d", n.Node, n.Session, n.Started.UnixNano())),
		"tcp_port:"+itoa(n.ListenPort),
		"server_time_usec:"+itoa(now.UnixMicro()),
		"uptime_in_seconds:"+itoa(int64(up/time.Second)),
		"uptime_in_days:"+itoa(int64(up/(24*time.Hour))),
		"hz:10",
		"configured_hz:10",
		"executable:"+executable,
		"config_file:",
		"redkeep_version:"+n.Version,
	)
}

func (f *Face) infoClients(picture.Node) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return lines("# Clients", "connected_clients:"+itoa(len(f.clients)), "maxclients:"+itoa(f.config.Clients), "blocked_clients:0", "tracking_clients:0")
}

func (f *Face) infoStats(picture.Node) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	channels, patterns := map[string]struct{}{}, map[string]struct{}{}
	for c := range f.clients {
		maps.Copy(channels, c.channels)
		maps.Copy(patterns, c.patterns)
	}
	return lines(
		"# Stats",
		"total_connections_received:"+itoa(f.lastID+int64(f.turnedAway)),
		"total_commands_processed:"+itoa(f.requests.Load()),
		"rejected_connections:"+itoa(f.turnedAway),
		"pubsub_channels:"+itoa(len(channels)),
		"pubsub_patterns:"+itoa(len(patterns)),
		"total_error_replies:"+itoa(f.errors.Load()),
	)
}

func infoCPU(picture.Node) string {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u) // fails for no reason that a process can have
	seconds := func(t unix.Timeval) string { return fmt.Sprintf("%.6f", time.Duration(t.Nano()).Seconds()) }
	return lines("# CPU", "used_cpu_sys:"+seconds(u.Stime), "used_cpu_user:"+seconds(u.Utime),
		"used_cpu_sys_children:0.000000", "used_cpu_user_children:0.000000")
}

func (f *Face) infoSentinel(n picture.Node) string {
	tilt, since := "sentinel_tilt:0", tilted(n)
	if since >= 0 {
		tilt = "sentinel_tilt:1"
	}
	out := []string{
		"# Sentinel",
		"sentinel_masters:" + itoa(len(n.Groups)),
		tilt,
		"sentinel_tilt_since_seconds:" + strconv.FormatInt(since, 10),
		"sentinel_running_scripts:0",
		"sentinel_scripts_queue_length:0",
		"sentinel_simulate_failure_flags:0",
	}
	for i, g := range n.Groups {
		known, _ := f.master(g)
		status, addr := "ok", "?:0"
		if !g.Writable {
			status = "odown"
		}
		if a := address(n, g, known.node); a.IsValid() {
			addr = a.String()
		}
		out = append(out, fmt.Sprintf("master%d:name=%s,status=%s,address=%s,slaves=%d,sentinels=%d",
			i, g.Name, status, addr, len(replicasOf(g, known.node)), len(otherVoters(g))+1))
	}
	return lines(out...)
}

// tilted is for how many seconds a group has been paused, -1 where none is: Sentinel's word for watching on without acting.
func tilted(n picture.Node) int64 {
	since := int64(-1)
	for _, g := range n.Groups {
		if g.Pause.Left > 0 {
			since = max(since, int64((g.Pause.For-g.Pause.Left)/time.Second))
		}
	}
	return since
}

// lines ends each line as Redis does.
func lines(all ...string) string { return strings.Join(all, "\r\n") + "\r\n" }
