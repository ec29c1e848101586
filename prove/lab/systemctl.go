package lab

import (
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// systemctl is what stands for systemd's command in a host's root. It notes all that is asked, and has the test do for
// the agent's unit what systemd would.
const systemctl = `#!/bin/sh
echo "$*" >>/run/asked
verb= unit= now=
for word; do
	case "$word" in
	--now) now=yes ;;
	--*) ;;
	*) if [ -z "$verb" ]; then verb=$word; else unit=${word%.service}; fi ;;
	esac
done
wants=/etc/systemd/system/multi-user.target.wants/$unit.service
job() {
	echo "$1" >/run/job.new && mv /run/job.new /run/job
	for i in $(seq 1000); do [ -e /run/job ] || return 0; sleep 0.01; done
	echo "systemctl: $1 takes too long" >&2; return 1
}
case "$verb $unit" in
daemon-reload*) ;;
is-enabled*) [ -L "$wants" ] && echo enabled ;;
is-active*) [ -e /run/active ] ;;
preset* | enable*) ln -sf "/usr/lib/systemd/system/$unit.service" "$wants" && if [ "$now" ]; then job start; fi ;;
"start redkeep" | "stop redkeep" | "restart redkeep") job "$verb" ;;
*) echo "systemctl: $* is not known here" >&2; exit 1 ;;
esac
`

// serve does what a command has asked of systemd, by the lines of the unit in the package.
func (r *installed) serve() {
	r.s.t.Helper()
	job, err := os.ReadFile(r.at("/run/job"))
	if err != nil {
		return
	}
	active := r.s.agents[r.h] != nil && !r.s.agents[r.h].Ended()
	switch verb := strings.TrimSpace(string(job)); {
	case verb == "start" && active, verb == "stop" && !active:
	case verb == "stop":
		r.signal("KillSignal")
		r.s.must(os.Remove(r.at("/run/active")))
	case verb == "restart" && active:
		r.signal("RestartKillSignal")
		r.start()
	default:
		r.start()
	}
	r.s.must(os.Remove(r.at("/run/job")))
}

// signal ends the agent as the unit says, within the time that it gives.
func (r *installed) signal(line string) {
	r.s.t.Helper()
	at, agent := time.Now(), r.s.agents[r.h]
	r.s.must(agent.Signal(unix.SignalNum(r.unit[line])))
	limit, err := time.ParseDuration(r.unit["TimeoutStopSec"] + "s")
	r.s.must(err)
	select {
	case <-agent.Done():
	case <-time.After(limit):
		r.s.t.Fatalf("the agent of %s does not end after %s", r.h, r.unit[line])
	}
	r.s.mark("the agent of %s ended by %s after %v", r.h, r.unit[line], time.Since(at).Round(time.Millisecond))
}

// start starts the agent by its unit's command line, and waits until it says that it is ready, as systemd does.
func (r *installed) start() {
	r.s.t.Helper()
	socket := r.at("/run/notify")
	ready, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket})
	r.s.must(err, os.Chmod(socket, 0o666))
	defer func() { r.s.must(ready.Close(), os.Remove(socket)) }()
	c := r.command(r.byUnit(r.unit)...)
	c.Name, c.Env = "redkeep", append(c.Env, "NOTIFY_SOCKET=/run/notify")
	p, err := r.s.Host(r.h).Start(c)
	r.s.must(err, os.WriteFile(r.at("/run/active"), nil, 0o644))
	r.s.agents[r.h] = p
	r.s.lives[r.h] = append(r.s.lives[r.h], p)
	text := make([]byte, 256)
	r.s.must(ready.SetReadDeadline(time.Now().Add(10 * time.Second)))
	if n, err := ready.Read(text); err != nil || string(text[:n]) != "READY=1" {
		r.s.t.Fatalf("the agent of %s says %q, and not that it is ready: %v", r.h, text[:n], err)
	}
}

// byUnit is a unit's command, run as its user with its capabilities and nothing more.
func (r *installed) byUnit(unit map[string]string) []string {
	caps := strings.ToLower(strings.ReplaceAll(unit["AmbientCapabilities"], "CAP_", ""))
	capabilities := "-all,+" + strings.Join(strings.Fields(caps), ",+")
	return append([]string{
		"sh", "-c", `umask "$0"; exec "$@"`, unit["UMask"],
		"setpriv", "--reuid=" + unit["User"], "--regid=" + unit["Group"], "--init-groups", "--no-new-privs",
		"--inh-caps=" + capabilities, "--ambient-caps=" + capabilities, "--bounding-set=" + capabilities,
	}, strings.Fields(unit["ExecStart"])...)
}

// lines reads the lines of an installed unit; of several with one key the last counts.
func (r *installed) lines(path string) map[string]string {
	r.s.t.Helper()
	text, err := os.ReadFile(r.at(path))
	r.s.must(err)
	lines := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			lines[key] = value
		}
	}
	return lines
}

// asked returns what was asked of systemd since the last call, without the questions.
func (r *installed) asked() []string {
	r.s.t.Helper()
	text, err := os.ReadFile(r.at("/run/asked"))
	if err != nil {
		return nil
	}
	r.s.must(os.Remove(r.at("/run/asked")))
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return slices.DeleteFunc(all, func(line string) bool {
		return strings.Contains(line, "is-enabled") || strings.Contains(line, "is-active") || strings.Contains(line, "daemon-reload")
	})
}
