package lab

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestRecipeMail is recipe 002: three Sentinels on hosts of their own, a master and a replica with a password, and a script
// that mails after a failover. Its two tests are the page's: the master is stopped and comes back, then the new one.
func TestRecipeMail(t *testing.T) {
	eachSentinel(t, func(t *testing.T, program string) {
		s, mails := mailSite(t, program)
		const one, two = "192.168.10.131", "192.168.10.132"
		s.awaitOK(one, "1")
		s.moves(mails, 1, one, two)
		s.moves(mails, 2, two, one)
		s.keepsFile()
	})
}

// mailSite makes the recipe's hosts and starts everything as the page does.
func mailSite(t *testing.T, program string) (*printedSite, *mailbox) {
	t.Helper()
	s := onPaper(t, "192.168.10.1", map[string]string{
		"sentinel-1": "192.168.10.128", "sentinel-2": "192.168.10.129", "sentinel-3": "192.168.10.130",
		"redis-master": "192.168.10.131", "redis-slave": "192.168.10.132",
	})
	s.group, s.secret, s.log = "master-6379", "123456", "/data/service/redis/sentinel/log/sentinel.log"
	s.sentinels = []*printedHost{s.hosts["sentinel-1"], s.hosts["sentinel-2"], s.hosts["sentinel-3"]}
	s.servers = []*printedHost{s.hosts["redis-master"], s.hosts["redis-slave"]}
	mails := takeMail(t, s.hosts["client"].Host, "192.168.10.1:25")
	for _, h := range s.servers {
		h.install("/data/service/redis/bin/redis-server", server(t))
		text := "port 6379\nrequirepass 123456\nmasterauth 123456\ndaemonize yes\ndir /data/service/redis\n" +
			"logfile /data/service/redis/logs/redis_6379.log\nrepl-diskless-sync-delay 0\n"
		if h == s.servers[1] {
			text += "slaveof 192.168.10.131 6379\n"
		}
		h.write("/data/service/redis/conf/6379.conf", text, 0o644)
		h.write("/data/service/redis/logs/redis_6379.log", "", 0o644)
		h.says("redis-server /data/service/redis/conf/6379.conf")
	}
	s.awaitReplica(s.servers[1], "192.168.10.131")
	for _, h := range s.sentinels {
		h.install("/data/service/redis/bin/redis-sentinel", program)
		h.says("mkdir -p /data/service/redis/sentinel/conf; mkdir -p /data/service/redis/sentinel/log")
		h.put("/data/service/redis/sentinel/conf/26379.conf", "002/26379.conf", 0o644)
		h.put("/data/script/python/notify.py", "002/notify.py", 0o755)
		h.write("/etc/hosts", "127.0.0.1 localhost\n192.168.10.1 mail.example.net\n", 0o644)
		h.says("redis-sentinel /data/service/redis/sentinel/conf/26379.conf")
	}
	s.hasten()
	return s, mails
}

// moves stops the master's server, wants the replica to be made the master and one mail to be sent, and starts the old one
// again: it becomes a replica.
func (s *printedSite) moves(mails *mailbox, nth int, from, to string) {
	s.t.Helper()
	s.at(from).says(s.cli("127.0.0.1", "SET before-"+to+" yes"))
	s.at(from).says(s.cli("127.0.0.1", "WAIT 1 1000"))
	s.at(from).sh(s.cli("127.0.0.1", "SHUTDOWN"))
	s.awaitOK(to, "1")
	s.at(to).awaits(10*time.Second, s.cli("127.0.0.1", "INFO replication"), "role:master")
	if text := s.at(to).says(s.cli("127.0.0.1", "GET before-"+to)); strings.TrimSpace(text) != "yes" {
		s.t.Errorf("the new master has %q of what the old one had", text)
	}
	for _, h := range s.sentinels {
		s.events(h, "+monitor master master-6379 192.168.10.131 6379 quorum 2", "+switch-master master-6379 "+from+" 6379 "+to+" 6379",
			"+slave slave "+from+":6379 "+from+" 6379 @ master-6379 "+to+" 6379")
	}
	s.mailed(mails, nth, from, to)
	s.at(from).says("redis-server /data/service/redis/conf/6379.conf")
	s.awaitReplica(s.at(from), to)
	converted := false
	for _, h := range s.sentinels {
		line := "+convert-to-slave slave " + from + ":6379 " + from + " 6379 @ master-6379 " + to + " 6379"
		converted = converted || strings.Contains(h.text(s.log), line)
	}
	if !converted {
		s.t.Errorf("no Sentinel says that it made %s a replica", from)
	}
}

// mailed wants each script to have been called once with its seven arguments, and the leader's to have sent a mail.
func (s *printedSite) mailed(mails *mailbox, nth int, from, to string) {
	s.t.Helper()
	leaders := 0
	for _, h := range s.sentinels {
		var calls string
		(&Site{t: s.t}).await(10*time.Second, "script's call on "+h.Name(), func() bool {
			calls = h.text("/data/service/redis/failover.log")
			return strings.Count(calls, "called with") >= nth
		})
		if n := strings.Count(calls, "called with"); n != nth {
			s.t.Errorf("the script of %s was called %d times, not %d: %s", h.Name(), n, nth, calls)
		}
		arguments := fmt.Sprintf("start %s 6379 %s 6379\n", from, to)
		if strings.Contains(calls, "called with 7: master-6379 leader "+arguments) {
			leaders++
		} else if !strings.Contains(calls, "called with 7: master-6379 observer "+arguments) {
			s.t.Errorf("the script of %s was called with other arguments: %s", h.Name(), calls)
		}
		if strings.Contains(calls, "ERROR") {
			s.t.Errorf("the script of %s failed: %s", h.Name(), calls)
		}
	}
	if leaders != 1 {
		s.t.Errorf("%d leaders called the script", leaders)
	}
	(&Site{t: s.t}).await(5*time.Second, "mail", func() bool { return len(mails.all()) >= nth })
	all := mails.all()
	if len(all) != nth {
		s.t.Fatalf("%d mails were sent, not %d", len(all), nth)
	}
	if last := all[nth-1]; !strings.Contains(last, "redis_master-6379_failover") && !strings.Contains(last, "redis master-6379 failover") {
		s.t.Errorf("the mail is not about the failover: %s", last)
	}
}

// keepsFile wants the lines of the page in the file as they were and in their order, but for the address and the time. What was
// written and is Sentinel's default (the timeout, the number of replicas at once) is dropped by a rewrite.
func (s *printedSite) keepsFile() {
	s.t.Helper()
	for _, h := range s.sentinels {
		now := h.text("/data/service/redis/sentinel/conf/26379.conf")
		rest := now
		for _, line := range []string{
			"port 26379", `dir "/data/service/redis/sentinel"`, "daemonize yes", `logfile "/data/service/redis/sentinel/log/sentinel.log"`, "# 6379",
			"sentinel monitor master-6379 192.168.10.131 6379 2", "sentinel down-after-milliseconds master-6379 " + pick("2000", "15000"),
			"sentinel auth-pass master-6379 123456",
			"sentinel client-reconfig-script master-6379 /data/script/python/notify.py",
			"sentinel known-replica master-6379 192.168.10.132 6379",
		} {
			_, after, found := strings.Cut(rest, line+"\n")
			if !found {
				s.t.Errorf("the file of %s has no %q where it belongs:\n%s", h.Name(), line, now)
				break
			}
			rest = after
		}
	}
}
