package sim

import (
	"time"

	"redkeep/internal/words"
)

// state is what a state directory holds.
type state struct {
	session   words.Session
	registers []words.Register
	written   []bool
	lost      bool
}

func (s state) clone() state {
	s.registers = append([]words.Register(nil), s.registers...)
	s.written = append([]bool(nil), s.written...)
	return s
}

// disk is a host's state directory: page is what processes read and write, synced what survives a loss of power.
type disk struct {
	w            *World
	host         *host
	page, synced state
	busy         bool
	waiting      []func(err string)
	fails        bool
	failed       time.Duration // when a sync last failed
	slow         time.Duration
	fresh        bool // the store was lost, and no agent has been started since
}

func newDisk(w *World, h *host) *disk {
	d := &disk{w: w, host: h}
	d.page = state{registers: make([]words.Register, w.plan.Groups), written: make([]bool, w.plan.Groups)}
	d.synced = d.page.clone()
	return d
}

// write puts a register into the page cache.
func (d *disk) write(group int, r words.Register) {
	r.BootID = d.host.bootID()
	d.page.registers[group], d.page.written[group] = r, true
	d.page.lost = false
}

// sync makes what is written so far lasting, and calls back; syncs that wait are made as one.
func (d *disk) sync(done func(err string)) {
	d.waiting = append(d.waiting, done)
	if !d.busy {
		d.flush()
	}
}

func (d *disk) flush() {
	batch, page, boot := d.waiting, d.page.clone(), d.host.boots
	d.waiting, d.busy = nil, true
	t := d.w.timing
	d.w.after(d.w.skewed(t.diskLow, t.diskHigh)+d.slow, func() {
		if d.host.boots != boot {
			return
		}
		d.busy = false
		err := ""
		if d.fails {
			err, d.failed = "sync register: input/output error", d.w.now
		} else {
			d.synced = page
		}
		for _, done := range batch {
			done(err)
		}
		if len(d.waiting) > 0 && !d.busy {
			d.flush()
		}
	})
}

// crash is a loss of power: what was not synced is gone.
func (d *disk) crash() {
	d.busy, d.waiting = false, nil
	d.page = d.synced.clone()
}

// lose replaces the store: by an empty directory, or by files that nobody can read.
func (d *disk) lose(unreadable bool) {
	d.fresh = true
	g := len(d.page.registers)
	d.page = state{registers: make([]words.Register, g), written: make([]bool, g), lost: unreadable}
	d.synced = d.page.clone()
}

// rollBack brings back an older store, as a restored backup does.
func (d *disk) rollBack(to state) {
	d.page = to.clone()
	d.synced = to.clone()
}
