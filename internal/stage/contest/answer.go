package contest

import (
	"fmt"
	"net/netip"

	"redkeep/internal/stage"
	"redkeep/internal/stage/observer"
)

// onlooker is the host from which the address is asked for: the client's own would learn from the answers, and write elsewhere.
const onlooker = "onlooker"

// guests are the hosts that the trial needs beside the servers' and the client's.
func (t *Trial) guests() []string {
	if t.Fault.asked {
		return []string{onlooker}
	}
	return nil
}

// ask begins to ask who has the address, all the time, where the fault is measured by that.
func (t *Trial) ask() (err error) {
	if !t.Fault.asked {
		return nil
	}
	t.asker, err = observer.Watch(observer.Options{Stage: t.site.Stage, Host: t.site.Host(onlooker), Addresses: []netip.Addr{stage.VIP}})
	return err
}

// answered ends that, and notes for how long two hosts answered, from the beginning to the end, the mending included.
func (t *Trial) answered(result *Result) error {
	if t.asker == nil {
		return nil
	}
	claims, err := t.asker.Stop()
	if err == nil && len(claims) == 0 {
		err = fmt.Errorf("nobody answered for %s", stage.VIP)
	}
	result.Asked, result.TwoAnswer = true, Duration(t.asker.TwoAnswer(stage.VIP, 0, observer.Named...))
	return err
}
