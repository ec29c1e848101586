package contest

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"redkeep/internal/stage"
	"redkeep/internal/stage/wire"
	"redkeep/internal/stage/writer"
)

// sentinelTuned says how, and sentinelPeriods are what Sentinel lets nobody configure, but since 7.0 at run time for its
// own tests. With the ordinary second between two attempts to reconnect, any down-after below it calls each new master
// down, whose connections a promotion has just killed, and one failover follows the other. It looks at a replica that
// it may promote each second whatever it is told, and takes none whose answer is older than five pings: with a ping each
// 100 ms it finds "no good slave" for ever. So 300 ms and 500 ms are the least that work.
const (
	sentinelTuned   = "down-after 500 ms, quorum 2 of 3, failover-timeout 3 s, SENTINEL DEBUG " + sentinelPeriods
	sentinelPeriods = "PING-PERIOD 300 ASK-PERIOD 100 INFO-PERIOD 500 PUBLISH-PERIOD 500"
)

// Sentinel is redis-sentinel on each host, at the shortest times that do not fail over by themselves. With the address
// script clients use a VIP, as the recipes have it; without it they ask the Sentinels and follow +switch-master.
func Sentinel(name string, script bool) Contender {
	c := Contender{
		Name:  name,
		About: sentinelTuned + "; clients ask the Sentinels and follow +switch-master",
		Needs: map[string]string{},
		Enter: func(ctx context.Context, s *Site) (Keeper, error) {
			r := &sentinels{site: s, script: script}
			return r, r.start(ctx)
		},
	}
	if script {
		c.About = sentinelTuned + "; client-reconfig-script moves a VIP, which clients use"
		c.Needs["arping"] = "arping"
		c.Needs["ip"] = "iproute2"
	}
	return c
}

// sentinels is redis-sentinel at work.
type sentinels struct {
	site   *Site
	script bool
	// program is the server's own binary under the name that makes it a Sentinel, as the package's is.
	program string
}

func (s *sentinels) start(ctx context.Context) error {
	server, err := stage.FindRedis()
	if err != nil {
		return err
	}
	s.program = filepath.Join(s.site.Dir(), "redis-sentinel")
	if err := os.Symlink(server, s.program); err != nil {
		return err
	}
	if s.script {
		// The first time a person adds the address.
		if err := s.site.Victim().Host().AddAddress(netip.PrefixFrom(stage.VIP, 24)); err != nil {
			return err
		}
	}
	for _, h := range s.site.Hosts() {
		if err := s.startOn(h); err != nil {
			return err
		}
		if err := hasten(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// hasten sets the periods of a Sentinel that is starting.
func hasten(ctx context.Context, h *stage.Host) error {
	var err error
	await(ctx, readyLimit, func() bool {
		var conn *wire.Conn
		if conn, err = dialHost(ctx, h, stage.FacePort); err != nil {
			return false
		}
		defer conn.Close()
		_, err = conn.Do(askLimit, append([]string{"SENTINEL", "DEBUG"}, strings.Fields(sentinelPeriods)...)...)
		return true
	})
	return err
}

func (s *sentinels) startOn(h *stage.Host) error {
	dir := filepath.Join(h.Dir(), "sentinel")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	config := fmt.Sprintf("port %d\nprotected-mode no\ndir %q\nsentinel monitor %s %s %d 2\n",
		stage.FacePort, dir, group, s.site.Victim().Host().Addr(), stage.DefaultPort)
	config += "sentinel down-after-milliseconds " + group + " 500\n" +
		"sentinel failover-timeout " + group + " 3000\n" +
		"sentinel parallel-syncs " + group + " 2\n"
	if s.script {
		path, err := script(h, "move-address", moveAddress(h))
		if err != nil {
			return err
		}
		config += "sentinel client-reconfig-script " + group + " " + path + "\n"
	}
	file := filepath.Join(dir, "sentinel.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	_, err := h.Start(stage.Command{Path: s.program, Args: []string{file}})
	return err
}

// moveAddress is the script that redis-sentinel calls with "NAME ROLE STATE FROM-IP FROM-PORT TO-IP TO-PORT". The two
// programs that Debian has under the name arping want different arguments; the first does not wait for an answer.
func moveAddress(h *stage.Host) string {
	return fmt.Sprintf(`if [ "$6" = %[1]s ]; then
  ip address add %[2]s/24 dev eth0
  arping -q -c 1 -U -i eth0 -S %[2]s %[2]s || arping -q -c 1 -U -I eth0 %[2]s
else
  ip address del %[2]s/24 dev eth0
fi
exit 0
`, h.Addr(), stage.VIP)
}

// ready wants every Sentinel to know the two others and both replicas, and the master to be up for all.
func (s *sentinels) Ready(ctx context.Context) bool {
	for _, h := range s.site.Hosts() {
		if !s.knowsAll(ctx, h) {
			return false
		}
	}
	return true
}

func (s *sentinels) knowsAll(ctx context.Context, h *stage.Host) bool {
	conn, err := dialHost(ctx, h, stage.FacePort)
	if err != nil {
		return false
	}
	defer conn.Close()
	master, err := fields(conn, "SENTINEL", "MASTER", group)
	return err == nil && master["num-slaves"] == "2" && master["num-other-sentinels"] == "2" && master["flags"] == "master"
}

// fields reads an answer that is a list of names and values.
func fields(conn *wire.Conn, args ...string) (map[string]string, error) {
	answer, err := conn.Do(askLimit, args...)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for i := 0; i+1 < len(answer.Elems); i += 2 {
		found[answer.Elems[i].Text] = answer.Elems[i+1].Text
	}
	return found, nil
}

func (s *sentinels) Finder() writer.Finder {
	if s.script {
		return atVIP()
	}
	return s.site.FindBySentinel(group)
}

// atVIP finds whoever has the address.
func atVIP() writer.Finder {
	return writer.Fixed(netip.AddrPortFrom(stage.VIP, stage.DefaultPort))
}

func (s *sentinels) Switchover(ctx context.Context) error {
	conn, err := dialHost(ctx, s.site.Hosts()[1], stage.FacePort)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Do(askLimit, "SENTINEL", "FAILOVER", group)
	return err
}
