package redis

import "redkeep/internal/speak/info"

// disk tells whether the server refuses clients' writes because of its disk (MISCONF), as Redis itself decides it: after a
// write to the append-only file that failed; and after a snapshot that failed, where snapshots are due by themselves (save)
// and writes are to stop for them (stop-writes-on-bgsave-error). A probe would tell too, but not on a replica.
type disk struct {
	info.Persistence
	// asked says that the settings have been asked for since a snapshot failed.
	asked bool
	// goesOn says that a failed snapshot stops no writes, manual that no snapshot is due by itself. Where the server doesn't
	// tell, it is believed to have the settings that it comes with, which are neither.
	goesOn, manual bool
}

// learn takes what the server has said last.
func (d *disk) learn(p info.Persistence) {
	d.Persistence = p
	d.asked = d.asked && p.SaveFailed
}

// setting reads an answer to CONFIG GET, and reports whether it was one of these.
func (d *disk) setting(name, value string) bool {
	switch name {
	case "stop-writes-on-bgsave-error":
		d.goesOn = value == "no"
	case "save":
		d.manual = value == ""
	default:
		return false
	}
	return true
}

func (d *disk) fails() bool {
	return d.AppendFailed || d.SaveFailed && d.asked && !d.goesOn && !d.manual
}
