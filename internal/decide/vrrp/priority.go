package vrrp

// priority is the configured one with the weights of the checks, from 1 to 254. That of an owner never changes, nor, unless it is
// wanted, does that of a router in a group: its members would part.
func (r *router) priority() uint8 {
	if r.conf.Priority == owner || r.group != nil && !r.group.weights {
		return r.conf.Priority
	}
	p := int(r.conf.Priority)
	for _, t := range r.conf.Tracks {
		v := r.m.checks[t.Name]
		if !v.known {
			continue
		}
		if passed := v.passed != t.Reverse; passed == (t.Weight > 0) {
			p += t.Weight
		}
	}
	return uint8(min(max(p, 1), owner-1))
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
		if v := r.m.checks[t.Name]; t.Weight == 0 && v.known && v.passed == t.Reverse {
			return true
		}
	}
	return false
}

func (r *router) ownUnknown() bool {
	for _, t := range r.conf.Tracks {
		if !r.m.checks[t.Name].known {
			return true
		}
	}
	return !r.conf.Source.IsValid()
}
