package contest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/stage/wire"
	"redkeep/internal/stage/writer"
)

// Keepalived is VRRP on three hosts, with an advertisement each 100 ms, which is the least that keepalived takes.
func Keepalived() Contender { return keepalived("keepalived", 100*time.Millisecond, 254, 230, 150) }

// KeepalivedPair is VRRP on two hosts. The second one's priority is the highest that is less than the first one's, so that it
// waits as short a time as it can.
func KeepalivedPair(name string, interval time.Duration, faults []string) Contender {
	c := keepalived(name, interval, 254, 253)
	c.Hosts, c.Faults, c.Advertises = pairHosts, faults, interval
	return c
}

// keepalived is VRRP with the scripts of the common recipe (all routers BACKUP, nopreempt, replicas follow the VIP),
// without its sleeps, in version 3 for intervals below a second, and a check each second, which is the least, that counts at the
// first failure. A gratuitous ARP each second tells clients after a healed cut where the address is; by itself keepalived
// sends none then. Priorities that are some way apart keep the routers that wait from taking over at once.
func keepalived(name string, interval time.Duration, priorities ...int) Contender {
	return Contender{
		Name: name,
		About: fmt.Sprintf("VRRP 3, advert_int %v, vrrp_script redis-cli ping each 1 s, fall 1, garp_master_refresh 1; notify scripts set the role; clients use its VIP",
			interval.Seconds()),
		Needs: map[string]string{"keepalived": "keepalived", "redis-cli": "redis-tools"},
		Enter: func(ctx context.Context, s *Site) (Keeper, error) {
			k := &routers{site: s, interval: interval, priorities: priorities}
			return k, k.start(ctx)
		},
	}
}

// routers is keepalived at work.
type routers struct {
	site     *Site
	procs    []*stage.Process
	interval time.Duration
	// priorities are the hosts'.
	priorities []int
}

// start waits for the first router before the others: with nopreempt, whoever is the fastest to start stays the master.
func (k *routers) start(ctx context.Context) error {
	for i, h := range k.site.Hosts() {
		p, err := k.startOn(h, k.priorities[i])
		if err != nil {
			return err
		}
		k.procs = append(k.procs, p)
		if !await(ctx, readyLimit, func() bool { return k.answers(ctx) }) {
			return errors.Join(ctx.Err(), fmt.Errorf("keepalived on %s holds no address after %v", h.Name(), readyLimit))
		}
	}
	return nil
}

// answers reports whether a master can be reached by the address.
func (k *routers) answers(ctx context.Context) bool {
	master, _ := atVIP().Find(ctx) // a fixed one is always found
	conn, err := wire.Dial(ctx, k.site.Client().Dial, master, askLimit)
	if err != nil {
		return false
	}
	defer conn.Close()
	answer, err := conn.Do(askLimit, "ROLE")
	return err == nil && len(answer.Elems) > 0 && answer.Elems[0].Text == "master"
}

func (k *routers) startOn(h *stage.Host, priority int) (*stage.Process, error) {
	check, err := script(h, "check", fmt.Sprintf(`[ "$(redis-cli -p %d ping)" = PONG ]`+"\n", stage.DefaultPort))
	if err != nil {
		return nil, err
	}
	master, err := script(h, "become-master", fmt.Sprintf("exec redis-cli -p %d replicaof no one\n", stage.DefaultPort))
	if err != nil {
		return nil, err
	}
	backup, err := script(h, "become-replica", fmt.Sprintf("exec redis-cli -p %[2]d replicaof %[1]s %[2]d\n", stage.VIP, stage.DefaultPort))
	if err != nil {
		return nil, err
	}
	file := filepath.Join(h.Dir(), "keepalived.conf")
	if err := os.WriteFile(file, []byte(k.config(priority, check, master, backup)), 0o600); err != nil {
		return nil, err
	}
	pid, vrrp := filepath.Join(h.Dir(), "keepalived.pid"), filepath.Join(h.Dir(), "vrrp.pid")
	// It takes a killed child of an earlier one for a running one as long as whoever has adopted that has not reaped it.
	for _, left := range []string{pid, vrrp} {
		if err := os.Remove(left); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return h.Start(stage.Command{Path: "keepalived", Args: []string{
		"--dont-fork", "--log-console", "--log-detail", "--vrrp", "--use-file", file, "--pid", pid, "--vrrp_pid", vrrp,
	}})
}

// preemption is how a router whose priority is higher comes back: not at all, or when it has had the time to copy.
func (k *routers) preemption() string {
	if k.site.preferred {
		return "preempt_delay 3"
	}
	return "nopreempt"
}

func (k *routers) config(priority int, check, master, backup string) string {
	return fmt.Sprintf(`global_defs {
  vrrp_version 3
  vrrp_garp_master_refresh 1
  vrrp_garp_master_refresh_repeat 1
  script_user root
}
vrrp_script redis {
  script %[2]q
  interval 1
  timeout 1
  fall 1
  rise 1
}
vrrp_instance redis {
  state BACKUP
  %[7]s
  interface eth0
  virtual_router_id 55
  priority %[1]d
  advert_int %[6]v
  virtual_ipaddress {
    %[5]s/24 dev eth0
  }
  track_script {
    redis
  }
  notify_master %[3]q
  notify_backup %[4]q
  notify_fault %[4]q
  notify_stop %[4]q
}
`, priority, check, master, backup, stage.VIP, k.interval.Seconds(), k.preemption())
}

// ready wants the first router to be the master, and the replicas to follow the address; the site asks the servers.
func (k *routers) Ready(ctx context.Context) bool {
	for _, r := range k.site.Servers[1:] {
		ctx, cancel := context.WithTimeout(ctx, askLimit)
		answer, err := r.Do(ctx, "ROLE")
		cancel()
		if err != nil || len(answer.Elems) < 2 || answer.Elems[1].Text != stage.VIP.String() {
			return false
		}
	}
	return true
}

func (k *routers) Finder() writer.Finder { return atVIP() }

func (k *routers) agent() *stage.Process { return k.procs[0] }

func (k *routers) startAgent() (err error) {
	k.procs[0], err = k.startOn(k.site.Victim().Host(), k.priorities[0])
	return err
}

// switchover stops the master's router, which says so in its last advertisement.
func (k *routers) Switchover(context.Context) error { return k.procs[0].Stop(5 * time.Second) }
