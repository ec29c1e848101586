package vrrp

// priority is the configured one with the weights of the checks, from 1 to 254.
func (r *router) priority() uint8 {
	if r.weightless() {
		return r.conf.Priority
	}
	p := int(r.conf.Priority)
	for _, t := range r.conf.Tracks {
		if known, passed := r.verdict(t); known && passed == (t.Weight > 0) {
			p += t.Weight
		}
	}
	return uint8(min(max(p, 1), owner-1))
}

// weightless reports whether weights don't count. The priority of an owner never changes, nor, unless it is wanted, does that of a router in a group:
// its members would part.
func (r *router) weightless() bool {
	return r.conf.Priority == owner || r.group != nil && !r.group.weights
}

// verdict is whether a check has a result, and whether that is the one that is wanted here.
func (r *router) verdict(t Track) (known, passed bool) {
	v := r.m.checks[t.Name]
	return v.known, v.known && v.passed != t.Reverse
}

// notPassed are the checks that keep the router, or would keep it, from what it is without them.
func (r *router) notPassed() (all []NotPassed) {
	for _, t := range r.conf.Tracks {
		known, passed := r.verdict(t)
		if passed {
			continue
		}
		one := NotPassed{Name: t.Name, Pending: !known, Fault: known && t.Weight == 0}
		if !r.weightless() {
			one.Weight = t.Weight
		}
		all = append(all, one)
	}
	return all
}

// faulty reports whether the router, or one that it moves with, must not be master.
func (r *router) faulty() bool { return r.any((*router).ownFault) }

// unknown reports whether a result that counts is still to come.
func (r *router) unknown() bool { return r.any((*router).ownUnknown) }

// any asks a router, and those that it moves with.
func (r *router) any(is func(*router) bool) bool {
	if r.group == nil {
		return is(r)
	}
	for _, member := range r.group.members {
		if is(member) {
			return true
		}
	}
	return false
}

func (r *router) ownFault() bool {
	if r.sourceless {
		return true
	}
	for _, t := range r.conf.Tracks {
		if known, passed := r.verdict(t); t.Weight == 0 && known && !passed {
			return true
		}
	}
	return false
}

func (r *router) ownUnknown() bool {
	for _, t := range r.conf.Tracks {
		if known, _ := r.verdict(t); !known {
			return true
		}
	}
	return !r.conf.Source.IsValid()
}
