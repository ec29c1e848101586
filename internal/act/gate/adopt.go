package gate

import "fmt"

// adopt makes the tables ours and their structure right, with all that is in force in them staying in force.
func (h *Hand) adopt() error {
	_, exists, err := h.tableFlags(h.shape.arp)
	if err != nil {
		return err
	}
	if _, err := h.stand(h.shape.table); err != nil {
		return err
	}
	if exists {
		if err := h.standARP(); err != nil {
			return err
		}
		h.withARP = h.noARP == nil
	}
	if err := h.reread(); err != nil {
		return err
	}
	if g := h.groups[selfTestGroup]; g != nil { // Its process died in the middle.
		err = h.set(selfTestGroup, Want{Ports: g.want.Ports, Mode: Absent})
		delete(h.groups, selfTestGroup)
	}
	return err
}

// stand makes a table ours and writes its structure where that is not right. It reports whether the table was there, with an error too.
func (h *Hand) stand(t *table) (existed bool, err error) {
	if existed, err = h.take(t); err != nil {
		return existed, err
	}
	var right bool
	if existed {
		h.bound()
		if right, err = t.standing(h.conn); err != nil {
			h.log.Warn("gate structure cannot be read", "err", err)
		}
	}
	if right {
		return existed, nil
	}
	h.log.Info("gate structure is written", "family", t.Family, "existed", existed)
	return existed, h.write(t)
}

// write makes the structure of a table right in one transaction, which leaves the sets' elements alone.
func (h *Hand) write(t *table) error {
	var b batch
	b.definition(t)
	if err := h.send(&b); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}
