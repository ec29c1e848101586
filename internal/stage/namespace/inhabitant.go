package namespace

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Inhabitants returns the process IDs of the programs that live in the namespace, whoever started them: a program's
// children that left its process group are found too. This process is never among them.
func (t *Thread) Inhabitants() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		var stat unix.Stat_t
		// Processes of other users can't be looked into; they are not ours either.
		if unix.Stat("/proc/"+e.Name()+"/ns/net", &stat) == nil && stat.Ino == t.inode {
			found = append(found, pid)
		}
	}
	return found
}
