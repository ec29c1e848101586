package lab

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"redkeep/internal/stage"
	"redkeep/internal/words"
)

// nobody is a user with no rights of its own.
const nobody = 65534

// TestOrdinaryUser runs the agents as an ordinary user with two capabilities, as the unit does: the fence is hard, and a
// failover is as it should be.
func TestOrdinaryUser(t *testing.T) {
	s := bareSite(t, Plan{})
	s.startServers()
	dir := t.TempDir()
	s.must(os.Chmod(filepath.Dir(dir), 0o755)) // the test's own directory is root's alone
	program := s.handOver(dir, binary, 0o755)
	file := s.handOver(dir, s.file, 0o600)
	for _, h := range s.plan.Hosts {
		// The agent may edit the server's file: the package's groups see to that.
		s.must(os.Chmod(s.Dir(), 0o755), os.Chown(s.Host(h).Dir(), nobody, nobody), os.Chown(s.redis[h].File(), nobody, nobody))
		s.startAs(h, dir, program, file)
	}
	w := s.write()
	m := s.awaitReady(20 * time.Second)
	s.await(5*time.Second, "hard fence", func() bool { g, err := s.status(m); return err == nil && g.Fence == words.FenceHard })
	time.Sleep(freshCopy)
	_, err := s.redis[m].Kill()
	s.must(err)
	s.awaitWrites(w, 5*time.Second)
	s.startServer(m)
	s.await(10*time.Second, m+" as a replica", func() bool { return s.linkUp(m) })
	s.await(10*time.Second, "server that is born fenced", func() bool {
		g, err := s.status(m)
		return err == nil && s.self(g).Server.BornFenced
	})
	s.lossless(w)
}

// handOver copies a file for the ordinary user.
func (s *Site) handOver(dir, from string, mode os.FileMode) string {
	s.t.Helper()
	in, err := os.Open(from)
	s.must(err)
	defer func() { _ = in.Close() }()
	path := filepath.Join(dir, filepath.Base(from))
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, mode)
	s.must(err)
	_, err = io.Copy(out, in)
	s.must(err, out.Close(), os.Chown(path, nobody, nobody))
	return path
}

// startAs starts a node's agent as the ordinary user.
func (s *Site) startAs(h, dir, program, file string) {
	s.t.Helper()
	state := filepath.Join(dir, "state-"+h)
	s.must(os.Mkdir(state, 0o700), os.Chown(state, nobody, nobody))
	p, err := s.Host(h).Start(stage.Command{
		Name: "redkeep", Path: "setpriv", Dir: dir,
		Args: []string{
			"--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs",
			"--inh-caps=-all,+net_admin,+net_raw", "--ambient-caps=+net_admin,+net_raw", "--bounding-set=-all,+net_admin,+net_raw",
			program, "run", "-c", file, "--node", h, "--state-dir", state,
		},
	})
	s.must(err)
	s.agents[h] = p
	s.lives[h] = append(s.lives[h], p)
}
