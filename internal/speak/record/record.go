package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"redkeep/internal/words"
)

// Version is the format that this release writes. It is raised when an older release must not overlook what is new; a
// field that an older release may overlook is simply added.
const Version = 1

// ErrVersion is wrapped by Parse's error about a record of another format: nothing is wrong with the disk.
var ErrVersion = errors.New("written by another release")

// register is words.Register as it is on disk. The names are the format: they outlive renamings in the program.
type register struct {
	Version     int          `json:"version"`
	Admitted    bool         `json:"admitted"`
	Generation  uint64       `json:"generation"`
	Members     []words.Node `json:"members,omitempty"`
	PendingGen  uint64       `json:"pending_generation,omitempty"`
	Pending     []words.Node `json:"pending,omitempty"`
	Vote        *ballot      `json:"vote,omitempty"`
	Seen        words.Epoch  `json:"seen_epoch"`
	LMax        int64        `json:"longest_lease_ns"`
	Rows        []row        `json:"lineage,omitempty"`
	Own         *own         `json:"own_server,omitempty"`
	Data        []words.Node `json:"data,omitempty"`
	InSync      []words.Node `json:"in_sync,omitempty"`
	InSyncEpoch words.Epoch  `json:"in_sync_epoch,omitempty"`
	Reach       words.Offset `json:"reach_offset,omitempty"`
	ReachKeys   int64        `json:"reach_keys,omitempty"`
	Promised    uint64       `json:"promised,omitempty"`
	Left        bool         `json:"left,omitempty"`
	Pause       *pause       `json:"pause,omitempty"`
	BootID      string       `json:"boot_id,omitempty"`
}

type pause struct {
	Count uint64     `json:"count"`
	By    words.Node `json:"by"`
	For   int64      `json:"for_ns"`
	Left  int64      `json:"left_ns"`
	Text  string     `json:"text,omitempty"`
}

type ballot struct {
	Epoch  words.Epoch `json:"epoch"`
	Holder words.Node  `json:"holder"`
	RunID  words.RunID `json:"run_id"`
}

type row struct {
	Epoch  words.Epoch  `json:"epoch"`
	Holder words.Node   `json:"holder"`
	RunID  words.RunID  `json:"run_id"`
	ReplID words.ReplID `json:"replid"`
	From   words.Offset `json:"from_offset"`
	// Continues is empty where the history began anew.
	Continues words.ReplID `json:"continues,omitempty"`
}

type own struct {
	Epoch   words.Epoch  `json:"epoch"`
	Role    string       `json:"role"`
	ReplID  words.ReplID `json:"replid"`
	Offset  words.Offset `json:"offset"`
	ReplID2 words.ReplID `json:"replid2,omitempty"`
	Second  words.Offset `json:"second_offset"`
	RunID   words.RunID  `json:"run_id"`
	Keys    int64        `json:"keys"`
}

// Append appends the record of r to dst. It is the same for equal registers.
func Append(dst []byte, r words.Register) []byte {
	d := register{
		Version: Version, Admitted: r.Admitted, Generation: r.Generation, Members: r.Members, PendingGen: r.PendingGen,
		Pending: r.Pending, Seen: r.Seen, LMax: int64(r.LMax), Data: r.Data, InSync: r.InSync, InSyncEpoch: r.InSyncEpoch, Reach: r.Reach, ReachKeys: r.ReachKeys,
		Promised: r.Promised, Left: r.Left, BootID: r.BootID,
	}
	if r.Vote != (words.Ballot{}) {
		v := ballot(r.Vote)
		d.Vote = &v
	}
	if p := r.Pause; p != (words.Pause{}) {
		d.Pause = &pause{p.Count, p.By, int64(p.For), int64(p.Left), p.Text}
	}
	for _, w := range r.Rows {
		d.Rows = append(d.Rows, row(w))
	}
	if o := r.Record; o != (words.Record{}) {
		d.Own = &own{
			Epoch: o.Epoch, Role: o.Role.String(), ReplID: o.Position.ReplID, Offset: o.Position.Offset,
			ReplID2: o.Position.ReplID2, Second: o.Position.Second, RunID: o.RunID, Keys: o.Keys,
		}
	}
	b, err := json.Marshal(d)
	if err != nil {
		// There is nothing in the type that can't be marshalled; a later field that can't is a fault of this package.
		panic(fmt.Sprintf("record: %v", err))
	}
	return append(dst, b...)
}

// Parse returns the register of a record. Empty lists come back as nil.
func Parse(b []byte) (words.Register, error) {
	var d register
	if err := json.Unmarshal(b, &d); err != nil {
		return words.Register{}, fmt.Errorf("parse register: %w", err)
	}
	if d.Version != Version {
		return words.Register{}, fmt.Errorf(
			"parse register: %w: format %d, this release reads %d; start the release that wrote it, or move the file away to have this voter readmitted",
			ErrVersion, d.Version, Version)
	}
	r := words.Register{
		Admitted: d.Admitted, Generation: d.Generation, Members: some(d.Members), PendingGen: d.PendingGen, Pending: some(d.Pending),
		Seen: d.Seen, LMax: time.Duration(d.LMax), Data: some(d.Data), InSync: some(d.InSync), InSyncEpoch: d.InSyncEpoch, Reach: d.Reach, ReachKeys: d.ReachKeys,
		Promised: d.Promised, Left: d.Left, BootID: d.BootID,
	}
	if d.Vote != nil {
		r.Vote = words.Ballot(*d.Vote)
	}
	if p := d.Pause; p != nil {
		r.Pause = words.Pause{Count: p.Count, By: p.By, For: time.Duration(p.For), Left: time.Duration(p.Left), Text: p.Text}
	}
	for _, w := range d.Rows {
		r.Rows = append(r.Rows, words.Row(w))
	}
	if d.Own == nil {
		return r, nil
	}
	role, err := parseRole(d.Own.Role)
	if err != nil {
		return words.Register{}, fmt.Errorf("parse register: %w", err)
	}
	r.Record = words.Record{
		Epoch: d.Own.Epoch, Role: role, RunID: d.Own.RunID, Keys: d.Own.Keys,
		Position: words.Position{ReplID: d.Own.ReplID, Offset: d.Own.Offset, ReplID2: d.Own.ReplID2, Second: d.Own.Second},
	}
	return r, nil
}

// some returns nil for an empty list, so that a register compares equal to the one that was written.
func some(n []words.Node) []words.Node {
	if len(n) == 0 {
		return nil
	}
	return n
}

func parseRole(word string) (words.Role, error) {
	for _, r := range []words.Role{words.RoleUnknown, words.RoleMaster, words.RoleReplica} {
		if r.String() == word {
			return r, nil
		}
	}
	return 0, fmt.Errorf("%q is no role", word)
}
