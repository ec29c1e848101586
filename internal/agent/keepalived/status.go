package keepalived

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"redkeep/internal/decide/vrrp"
)

// Status is what one process knows of its virtual routers. The names in the JSON are stable.
type Status struct {
	PID       int        `json:"pid"`
	Version   string     `json:"version"`
	Instances []Instance `json:"instances"`
}

// Instance is one virtual router of this host.
type Instance struct {
	Name      string `json:"name"`
	Interface string `json:"interface"`
	VRID      int    `json:"virtual_router_id"`
	// State is keepalived's word; Step says how far the router is on its way to or from it, "" where it is there.
	State string `json:"state"`
	Step  string `json:"step,omitempty"`
	// Since is when the router told of its state, zero before it has.
	Since time.Time `json:"since,omitzero"`
	// Priority is what it says or would say, Configured what the file says, before the checks' weights.
	Priority   int `json:"priority"`
	Configured int `json:"configured_priority"`
	// Master is who was last heard as the master; Here says that it is this host. Authenticated is false: VRRP has nothing that proves it.
	Master        string `json:"master,omitempty"`
	Here          bool   `json:"master_here"`
	Authenticated bool   `json:"authenticated"`
	// Addresses are the virtual ones, with whether the kernel has them.
	Addresses []Address `json:"addresses"`
	// Checks are those that don't pass. Sourceless says that this host has no address of its own to speak from.
	Checks     []Check `json:"checks_not_passed"`
	Sourceless bool    `json:"no_own_address"`
	// Held says that it would be the master if it were not for a router that it can't understand.
	Held     bool      `json:"holds_back"`
	Troubles []Trouble `json:"troubles"`
}

// Address is a virtual address.
type Address struct {
	Addr netip.Addr `json:"address"`
	Dev  string     `json:"device"`
	Here bool       `json:"here"`
}

// Check is one that has failed, or has no result yet.
type Check struct {
	Name string `json:"name"`
	// Weight is what it takes from the priority or does not give, 0 also where weights don't count; Fault says that it alone puts the router in FAULT.
	Weight  int  `json:"weight"`
	Fault   bool `json:"fault"`
	Pending bool `json:"pending"`
}

// Trouble is what a person should know of, with the other router's address and both values where there are any.
type Trouble struct {
	What   string `json:"what"`
	Peer   string `json:"peer,omitempty"`
	Ours   string `json:"ours,omitempty"`
	Theirs string `json:"theirs,omitempty"`
	// Text is all of it.
	Text string `json:"text"`
}

// status is what the loop knows; the addresses are to be looked up yet.
func (p *process) status() Status {
	s := Status{PID: os.Getpid(), Version: p.options.Version, Instances: []Instance{}}
	for _, v := range p.machine.View() {
		if r := p.routers[v.ID]; r != nil && !r.deleted {
			s.Instances = append(s.Instances, instanceOf(r, v))
		}
	}
	return s
}

// instanceOf puts what the file says of a router and what the machine knows into one.
func instanceOf(r *router, v vrrp.View) Instance {
	i := Instance{
		Name: r.conf.Name, Interface: r.conf.Interface, VRID: r.conf.VRID, State: stateWord(v.State), Priority: int(v.Priority),
		Configured: r.conf.Priority, Held: v.Held, Sourceless: v.Sourceless, Addresses: []Address{}, Checks: []Check{}, Troubles: []Trouble{},
	}
	if v.Step != vrrp.Idle && v.Step != vrrp.Standing {
		i.Step = v.Step.String()
	}
	if r.turned != 0 && r.state == v.State {
		i.Since = time.Now().Add(-now().Sub(r.turned)).Round(time.Millisecond)
	}
	if elected := v.State == vrrp.Master || v.State == vrrp.Backup; elected && v.Master.IsValid() {
		i.Master, i.Here = v.Master.String(), v.State == vrrp.Master
	}
	for _, where := range placesOf(r.conf) {
		i.Addresses = append(i.Addresses, Address{Addr: where.Addr, Dev: where.Dev})
	}
	for _, c := range v.NotPassed {
		i.Checks = append(i.Checks, Check{Name: c.Name, Weight: c.Weight, Fault: c.Fault, Pending: c.Pending})
	}
	for _, t := range v.Troubles {
		one := Trouble{What: t.What.String(), Ours: t.Ours, Theirs: t.Theirs, Text: t.String()}
		if t.Peer.IsValid() {
			one.Peer = t.Peer.String()
		}
		i.Troubles = append(i.Troubles, one)
	}
	return i
}

// lookUp asks the kernel which of the addresses are there. One that has its device no more is not.
func (s *Status) lookUp() {
	on := map[string][]netip.Addr{}
	for i := range s.Instances {
		for j := range s.Instances[i].Addresses {
			a := &s.Instances[i].Addresses[j]
			if _, asked := on[a.Dev]; !asked {
				on[a.Dev] = addressesOn(a.Dev)
			}
			a.Here = slices.Contains(on[a.Dev], a.Addr)
		}
	}
}

func addressesOn(dev string) (all []netip.Addr) {
	device, err := net.InterfaceByName(dev)
	if err != nil {
		return nil
	}
	list, _ := device.Addrs() // None of a device that has just gone.
	for _, one := range list {
		if p, err := netip.ParsePrefix(one.String()); err == nil {
			all = append(all, p.Addr())
		}
	}
	return all
}
