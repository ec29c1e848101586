package lab

import "golang.org/x/sys/unix"

// memory is a directory without a disk behind it, for Sentinels: theirs wait for the disk in the loop that keeps their time, so on a machine
// whose disk stands still for some seconds they are what is down. It is "", for the system's directory for temporary files, where there is
// none that has room and lets programs be run.
func memory() string {
	const dir, room = "/dev/shm", 512 << 20
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil || fs.Type != unix.TMPFS_MAGIC || fs.Flags&unix.ST_NOEXEC != 0 || fs.Bavail < room/uint64(fs.Bsize) ||
		unix.Access(dir, unix.W_OK) != nil {
		return ""
	}
	return dir
}
