package scale

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ration is a control group whose members have a share of one core and no more, so that a contender's limit is found by clients
// that would have another one otherwise.
type ration struct{ dir string }

// period is how often the kernel gives out a share: more often than a benchmark notices.
const period = 10 * time.Millisecond

// newRation makes a control group, in either of the kernel's hierarchies. It takes root.
func newRation(name string, percent int) (r ration, err error) {
	quota := period * time.Duration(percent) / 100
	files := map[string]string{"cpu.max": fmt.Sprintf("%d %d", quota.Microseconds(), period.Microseconds())}
	r.dir = filepath.Join("/sys/fs/cgroup", name)
	if _, err := os.Stat("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"); err == nil {
		r.dir = filepath.Join("/sys/fs/cgroup/cpu", name)
		files = map[string]string{
			"cpu.cfs_period_us": strconv.FormatInt(period.Microseconds(), 10), "cpu.cfs_quota_us": strconv.FormatInt(quota.Microseconds(), 10),
		}
	} else if err := os.WriteFile("/sys/fs/cgroup/cgroup.subtree_control", []byte("+cpu"), 0o644); err != nil {
		return r, fmt.Errorf("share out the processor: %w; run as root, or say -share 0", err)
	}
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		return r, fmt.Errorf("make control group: %w; run as root, or say -share 0", err)
	}
	for file, text := range files {
		if err := os.WriteFile(filepath.Join(r.dir, file), []byte(text), 0o644); err != nil {
			return r, errors.Join(fmt.Errorf("limit control group: %w", err), r.end())
		}
	}
	return r, nil
}

// take puts a process in.
func (r ration) take(pid int) error {
	if err := os.WriteFile(filepath.Join(r.dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644); err != nil {
		return fmt.Errorf("put process in control group: %w", err)
	}
	return nil
}

// end puts the members where they have all there is, and removes the group. The kernel may need a moment to notice.
func (r ration) end() error {
	members, err := os.ReadFile(filepath.Join(r.dir, "cgroup.procs"))
	if err != nil {
		return fmt.Errorf("look into control group: %w", err)
	}
	for pid := range strings.FieldsSeq(string(members)) {
		_ = os.WriteFile(filepath.Join(filepath.Dir(r.dir), "cgroup.procs"), []byte(pid), 0o644) // it may have ended
	}
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = os.Remove(r.dir); err == nil || errors.Is(err, os.ErrNotExist) {
			return nil
		}
	}
	return fmt.Errorf("remove control group %s: %w", strings.TrimPrefix(r.dir, "/sys/fs/cgroup/"), err)
}
