package sentinel

import (
	"errors"
	"strings"
	"testing"
	"time"

	"redkeep/internal/picture"
)

// TestRequestsReachTheSource holds what a source is asked to do, and what its client is told, for each way that can go.
func TestRequestsReachTheSource(t *testing.T) {
	for _, c := range []struct {
		asked string
		err   error
		did   string // "" for nothing
		want  string
	}{
		{"SENTINEL FAILOVER orders", nil, "failover orders no", "+OK"},
		{"SENTINEL FAILOVER orders Coordinated", ErrNoGoodPrimary, "failover orders yes", "-NOGOODPRIMARY Primary does not support FAILOVER command"},
		{"SENTINEL FAILOVER orders x", nil, "", "-ERR Unknown failover option specified"},
		{"SENTINEL FAILOVER orders coordinated x", nil, "", "-ERR wrong number of arguments for 'sentinel|failover' command"},
		{"SENTINEL FAILOVER orders", ErrInProgress, "failover orders no", "-INPROG Failover already in progress"},
		{"SENTINEL FAILOVER orders", ErrNoGoodReplica, "failover orders no", "-NOGOODSLAVE No suitable replica to promote"},
		{"SENTINEL REMOVE nosuch", ErrNoSuchMaster, "remove nosuch", "-ERR No such master with that name"},
		{"SENTINEL REMOVE orders", ErrNotSaved, "remove orders", "-ERR Failed to save config file. Check server logs."},
		{"SENTINEL MONITOR a 127.0.0.1 6379 2", nil, "monitor a 127.0.0.1 6379 2", "+OK"},
		{"SENTINEL MONITOR a ::1 0 1", ErrDuplicate, "monitor a ::1 0 1", "-ERR Duplicate master name."},
		{"SENTINEL MONITOR a host 6379 2", nil, "", "-ERR Invalid IP address or hostname specified"},
		{"SENTINEL MONITOR a 127.0.0.1 06379 2", nil, "", "-ERR Invalid port"},
		{"SENTINEL MONITOR a 127.0.0.1 65536 2", nil, "", "-ERR Invalid port number."},
		{"SENTINEL MONITOR a 127.0.0.1 6379 0", nil, "", "-ERR Quorum must be 1 or greater."},
		{"SENTINEL MONITOR \"a\\nb\" 127.0.0.1 6379 1", nil, "", "-ERR Invalid argument at index 2 for SENTINEL MONITOR: control characters are not allowed"},
		{"SENTINEL SET orders Quorum 2 auth-pass \"\"", nil, "set orders quorum(Quorum)=2 2 auth-pass(auth-pass)= 0", "+OK"},
		{"SENTINEL SET orders quorum 2 parallel-syncs 0", nil, "set orders quorum(quorum)=2 2", "-ERR Invalid argument '0' for SENTINEL SET 'parallel-syncs'"},
		{"SENTINEL SET orders quorum x quorum 2", nil, "set orders", "-ERR Invalid argument 'x' for SENTINEL SET 'quorum'"},
		{"SENTINEL SET orders quorum 2 quorum", nil, "set orders quorum(quorum)=2 2", "-ERR Unknown option or number of arguments for SENTINEL SET 'quorum'"},
		{"SENTINEL SET nosuch quorum x", ErrNoSuchMaster, "set nosuch", "-ERR No such master with that name"},
		{
			"SENTINEL SET orders notification-script /x quorum x", ErrNoNotifier, "set orders notification-script(notification-script)=/x 0",
			"-ERR Notification script seems non existing or non executable",
		},
		{"SENTINEL SET orders rename-command A B", nil, "set orders rename-command(rename-command)=AB 0", "+OK"},
		{"SENTINEL SET orders rename-command A \"\"", nil, "set orders", "-ERR Invalid argument '' for SENTINEL SET 'rename-command'"},
		{"SENTINEL SET orders rename-command A", nil, "set orders", "-ERR Unknown option or number of arguments for SENTINEL SET 'rename-command'"},
		{"SENTINEL SET orders master-reboot-down-after-period 0", nil, "set orders master-reboot-down-after-period(master-reboot-down-after-period)=0 0", "+OK"},
		{"SENTINEL CONFIG SET Announce-Hostnames YES", nil, "configure announce-hostnames yes", "+OK"},
		{"SENTINEL CONFIG SET announce-port 1 loglevel Debug", nil, "configure announce-port 1, configure loglevel debug", "+OK"},
		{"SENTINEL CONFIG SET announce-port 1 loglevel loud", nil, "", "-ERR Invalid value 'loud' to SENTINEL CONFIG SET 'loglevel'"},
		{"SENTINEL CONFIG SET announce-port 1 announce-port 2", nil, "", "-ERR Duplicate argument 'announce-port' to SENTINEL CONFIG SET"},
		{"SENTINEL CONFIG SET announce-port 1 loglevel", nil, "", "-ERR Missing argument 'loglevel' value"},
		{"SENTINEL CONFIG SET announce-port 1 loglevel debug", ErrNotSaved, "configure announce-port 1", "-ERR Failed to save config file. Check server logs."},
		{"SENTINEL CONFIG GET announce-ip", nil, "", "*2\n$11\nannounce-ip\n$12\nannounce-ip?"},
		{"SENTINEL SIMULATE-FAILURE crash-after-election CRASH-AFTER-PROMOTION", nil, "simulate 3", "+OK"},
		{"SENTINEL SIMULATE-FAILURE help", nil, "simulate 0", "*2\n$20\ncrash-after-election\n$21\ncrash-after-promotion"},
		{"SENTINEL SIMULATE-FAILURE crash-after-election x", nil, "simulate 1", "-ERR Unknown failure simulation specified"},
		{"SENTINEL FLUSHCONFIG", errors.New("disk is full"), "flush", "-ERR disk is full"},
		{"SENTINEL RESET ord*", nil, "reset yes no", ":1"},
		{"PUBLISH __sentinel__:hello 1,2,3", nil, "greeting 1,2,3", ":1"},
		{"SENTINEL IS-MASTER-DOWN-BY-ADDR h 6379 9 *", nil, "down h 6379 9 *", "*3\n:1\n$2\nme\n:8"},
		{"SENTINEL IS-PRIMARY-DOWN-BY-ADDR h 6379 x *", nil, "", "-ERR value is not an integer or out of range"},
		{"SHUTDOWN nosave", nil, "shutdown", ""},
		{"SHUTDOWN nosave save", nil, "", "-ERR syntax error"},
		{"SHUTDOWN abort", nil, "", "-ERR No shutdown in progress."},
	} {
		l, f := keep(t)
		l.err, l.vote = c.err, DownAnswer{Down: true, Leader: "me", LeaderEpoch: 8}
		if got := strings.TrimSuffix(said(f, c.asked), "\n"); got != c.want {
			t.Errorf("%s: %q, want %q", c.asked, got, c.want)
		}
		if got := strings.Join(l.did, ", "); got != c.did {
			t.Errorf("%s: it did %q, want %q", c.asked, got, c.did)
		}
	}
}

func TestHostnamesAreForTheSourceToResolve(t *testing.T) {
	l, f := keep(t)
	l.resolvesHostnames, l.err = true, ErrBadHost
	if got := said(f, "SENTINEL MONITOR a host 6379 2"); got != "-ERR Invalid IP address or hostname specified\n" || len(l.did) != 1 {
		t.Errorf("%q, %q", got, l.did)
	}
}

// TestAllThatASourceTells has every field, also those that a healthy instance does not have.
func TestAllThatASourceTells(t *testing.T) {
	l, f := keep(t)
	l.master = picture.Watched{
		Name: "orders", Host: "h1", Port: 6379, RunID: "r", PendingCommands: 2, Refcount: 3, FailoverState: "select_slave",
		Flags:        picture.WatchedSDown | picture.WatchedODown | picture.WatchedMaster | picture.WatchedFailover | picture.WatchedForceFailover,
		LastPingSent: 4 * time.Millisecond, LastOKPing: 5 * time.Millisecond, LastPing: 6 * time.Millisecond, SDown: 7 * time.Millisecond,
		ODown: 8 * time.Millisecond, DownAfter: 9 * time.Millisecond, InfoRefresh: 10 * time.Millisecond, RoleReported: "master",
		RoleReportedTime: 11 * time.Millisecond, ConfigEpoch: 12, Replicas: 13, Sentinels: 14, Quorum: 15, FailoverTimeout: 16 * time.Millisecond,
		ParallelSyncs: 17, NotificationScript: "/n", ReconfigScript: "/r",
	}
	replica := picture.Watched{
		Name: "h2:6379", Flags: picture.WatchedReplica | picture.WatchedReconfSent, RoleReported: "slave", MasterLinkDown: time.Second,
		Priority: 100, Offset: 5, ReplicaAnnounced: true,
	}
	hidden := replica
	hidden.ReplicaAnnounced = false
	l.replicas = []picture.Watched{hidden, replica}
	l.others = []picture.Watched{{Name: "s", Flags: picture.WatchedSentinel, LastHello: time.Second, VotedLeader: "x", VotedLeaderEpoch: 3}}
	l.self = Self{Tilt: true, TiltFor: 3 * time.Second, Running: 1, Queued: 2, Simulated: CrashAfterPromotion}
	for asked, want := range map[string]string{
		"SENTINEL PRIMARY orders": "name orders ip h1 port 6379 runid r flags s_down,o_down,master,failover_in_progress,force_failover " +
			"link-pending-commands 2 link-refcount 3 failover-state select_slave last-ping-sent 4 last-ok-ping-reply 5 last-ping-reply 6 " +
			"s-down-time 7 o-down-time 8 down-after-milliseconds 9 info-refresh 10 role-reported master role-reported-time 11 config-epoch 12 " +
			"num-slaves 13 num-other-sentinels 14 quorum 15 failover-timeout 16 parallel-syncs 17 notification-script /n client-reconfig-script /r",
		"SENTINEL REPLICAS orders": "name h2:6379 ip  port 0 runid  flags slave,reconf_sent link-pending-commands 0 link-refcount 0 last-ping-sent 0 " +
			"last-ok-ping-reply 0 last-ping-reply 0 down-after-milliseconds 0 info-refresh 0 role-reported slave role-reported-time 0 " +
			"master-link-down-time 1000 master-link-status err master-host ? master-port 0 slave-priority 100 slave-repl-offset 5 replica-announced 1",
		"SENTINEL SENTINELS orders": "name s ip  port 0 runid  flags sentinel link-pending-commands 0 link-refcount 0 last-ping-sent 0 last-ok-ping-reply 0 " +
			"last-ping-reply 0 down-after-milliseconds 0 last-hello-message 1000 voted-leader x voted-leader-epoch 3",
		"INFO sentinel": "# Sentinel\nsentinel_masters:1\nsentinel_tilt:1\nsentinel_tilt_since_seconds:3\nsentinel_running_scripts:1\n" +
			"sentinel_scripts_queue_length:2\nsentinel_simulate_failure_flags:2\nmaster0:name=orders,status=odown,address=h1:6379,slaves=13,sentinels=15\n",
	} {
		if got := bulks(said(f, asked)); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", asked, got, want)
		}
	}
}

// bulks joins the bulk strings of an answer.
func bulks(answer string) string {
	if strings.HasPrefix(answer, "$") {
		_, text, _ := strings.Cut(answer, "\n")
		return strings.TrimSuffix(text, "\n")
	}
	var all []string
	lines := strings.Split(answer, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "$") {
			all = append(all, lines[i+1])
		}
	}
	return strings.Join(all, " ")
}

// TestQuorumIsJudged: for the quorum, and for the majority.
func TestQuorumIsJudged(t *testing.T) {
	const noQuorum, noMajority = "Not enough available Sentinels to reach the specified quorum for this master",
		"Not enough available Sentinels to reach the majority and authorize a failover"
	for q, want := range map[Quorum]string{
		{Voters: 3, Usable: 2, Needed: 2}: "+OK 2 usable Sentinels. Quorum and failover authorization can be reached\n",
		{Voters: 3, Usable: 2, Needed: 3}: "-NOQUORUM 2 usable Sentinels. " + noQuorum + "\n",
		{Voters: 5, Usable: 2, Needed: 2}: "-NOQUORUM 2 usable Sentinels. " + noMajority + "\n",
		{Voters: 5, Usable: 2, Needed: 3}: "-NOQUORUM 2 usable Sentinels. " + noQuorum + ". " + noMajority + "\n",
	} {
		l, f := keep(t)
		l.quorum = q
		if got := said(f, "SENTINEL CKQUORUM orders"); got != want {
			t.Errorf("%v: %q", q, got)
		}
	}
}

func TestScriptsAndCachesAreTold(t *testing.T) {
	l, f := keep(t)
	l.scripts = []Script{
		{Argv: []string{"/x", "a b"}, Running: true, PID: 7, Time: time.Second, Retry: 1},
		{Argv: []string{"/y"}, Time: 30 * time.Second},
	}
	l.cached = []Cached{{Age: time.Second, Info: "role:master", Known: true}, {}}
	want := "*2\n*10\n$4\nargv\n*2\n$2\n/x\n$3\na b\n$5\nflags\n$7\nrunning\n$3\npid\n$1\n7\n$8\nrun-time\n$4\n1000\n$9\nretry-num\n$1\n1\n" +
		"*10\n$4\nargv\n*1\n$2\n/y\n$5\nflags\n$9\nscheduled\n$3\npid\n$1\n0\n$9\nrun-delay\n$5\n30000\n$9\nretry-num\n$1\n0\n"
	if got := said(f, "SENTINEL PENDING-SCRIPTS"); got != want {
		t.Errorf("%q", got)
	}
	if got := said(f, "SENTINEL INFO-CACHE nosuch orders"); got != "*2\n$6\norders\n*2\n*2\n:1000\n$11\nrole:master\n*2\n:0\n$-1\n" {
		t.Errorf("%q", got)
	}
}
