package keepalived

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/act/lockfile"
	"redkeep/internal/decide/vrrp"
)

// claim is a locked file, one for each virtual router of a network namespace: no port is taken that would stop a second start by mistake, and two
// processes with one router on one host have one's address taken off by the other.
type claim struct{ lock *lockfile.Lock }

// claimedError is that another process has a claim.
type claimedError struct {
	what string
	pid  string
}

// Error says who it is and what to do.
func (e *claimedError) Error() string {
	return fmt.Sprintf("%s is run by another redkeep keepalived on this host, process %s; stop one of the two", e.what, e.pid)
}

const (
	// dying is how long somebody who holds a claim may take to be gone, who was just killed; looking is from one look to the next.
	dying, looking = 500 * time.Millisecond, 10 * time.Millisecond
	// mostTurns is how often a claim is tried whose directory others take away at the very moment.
	mostTurns = 8
)

// claimsIn is the directory of this network namespace's claims: those of others may have the same devices.
func claimsIn(dir string) (string, error) {
	var ns unix.Stat_t
	if err := unix.Stat("/proc/thread-self/ns/net", &ns); err != nil {
		return "", fmt.Errorf("look at the network namespace: %w", err)
	}
	return filepath.Join(dir, "net-"+strconv.FormatUint(ns.Ino, 10)), nil
}

// takeClaim locks a name of a directory; what is it for a person.
func takeClaim(dir, name, what string) (*claim, error) {
	path := filepath.Join(dir, name+".lock")
	for range mostTurns {
		if err := makeOwn(dir); err != nil {
			return nil, err
		}
		lock, err := lockfile.Take(path)
		if held := new(lockfile.HeldError); errors.As(err, &held) {
			return nil, &claimedError{what, held.PID}
		}
		if errors.Is(err, fs.ErrNotExist) { // The last one has just left, with the directory.
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("claim %s: %w", what, err)
		}
		return &claim{lock}, nil
	}
	return nil, fmt.Errorf("claim %s: others come and go in %s", what, dir)
}

// makeOwn makes a directory that is this user's alone.
func makeOwn(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// release gives it back, with its file and, if it was the last one, the directory.
func (c *claim) release() {
	c.lock.Remove()
	_ = os.Remove(filepath.Dir(c.lock.Path())) // Which fails where there are others.
}

// claimOf is how a router is claimed, and what it is called.
func claimOf(r *vrrp.Router) (name, what string) {
	family, word := "4", "IPv4"
	if six(r) {
		family, word = "6", "IPv6"
	}
	return fmt.Sprintf("%s-%d-%s", r.Link, r.VRID, family), fmt.Sprintf("%s (virtual_router_id %d on %s, %s)", r.ID, r.VRID, r.Link, word)
}

// firstClaims takes what the routers of the start need, of which somebody who has some may just have been killed. A host that has no place for claims
// does without, and is told so.
func (p *process) firstClaims(s *vrrp.Setup) (map[string]*claim, error) {
	fresh, err := p.newClaims(s, dying)
	if err == nil || errors.As(err, new(*claimedError)) {
		return fresh, err
	}
	p.log.Warn("a second start of this program with the same routers would not be noticed, and redkeep keepalived --status can't ask this process; "+
		"make the directory writable and start it again", "dir", p.options.RunDir, "err", err)
	p.claimDir = ""
	return nil, nil
}

// moreClaims takes what the routers of a reload need besides. One that can't be had keeps the reload from being done: without it nobody could say any more
// which routers are claimed, and which process is the last one.
func (p *process) moreClaims(s *vrrp.Setup) (map[string]*claim, error) { return p.newClaims(s, 0) }

// newClaims takes what routers need and this process has not; on an error none of it.
func (p *process) newClaims(s *vrrp.Setup, patience time.Duration) (map[string]*claim, error) {
	fresh, until := map[string]*claim{}, time.Now().Add(patience)
	if p.claimDir == "" {
		return fresh, nil
	}
	for i := range s.Routers {
		name, what := claimOf(&s.Routers[i])
		if p.claims[name] != nil || fresh[name] != nil {
			continue
		}
		one, err := takeClaim(p.claimDir, name, what)
		for ; errors.As(err, new(*claimedError)) && time.Now().Before(until); one, err = takeClaim(p.claimDir, name, what) {
			time.Sleep(looking)
		}
		if err != nil {
			releaseAll(fresh)
			return nil, err
		}
		fresh[name] = one
	}
	return fresh, nil
}

// releaseSurplus gives back the claims of routers that a configuration has no more, and that are down.
func (p *process) releaseSurplus(s *vrrp.Setup) {
	wanted := map[string]bool{}
	for i := range s.Routers {
		name, _ := claimOf(&s.Routers[i])
		wanted[name] = true
	}
	for name, one := range p.claims {
		if !wanted[name] {
			one.release()
			delete(p.claims, name)
		}
	}
}

// isLast reports whether nobody else has a claim in this network namespace, of a router or of a place: each process has one before it looks at what they
// share. Where claims have no place, or can't be looked at, it is not known, and false.
func (p *process) isLast() bool {
	if p.claimDir == "" {
		return false
	}
	own := map[string]bool{}
	for _, one := range p.claims {
		own[one.lock.Path()] = true
	}
	if p.front != nil {
		own[p.front.claim.lock.Path()] = true
	}
	all, err := os.ReadDir(p.claimDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	for _, one := range all {
		path := filepath.Join(p.claimDir, one.Name())
		if filepath.Ext(path) == ".lock" && !own[path] && lockfile.IsHeld(path) {
			return false
		}
	}
	return true
}

func releaseAll(claims map[string]*claim) {
	for _, one := range claims {
		one.release()
	}
}
