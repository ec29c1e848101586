package sentinel

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

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
