package sentinel

import (
	"maps"
	"slices"
	"strings"
)

// CLIENT TRACKING and what belongs to it. There are no keys here, so that nothing is ever tracked and nobody told of anything; but
// client libraries that cache turn it on wherever they connect, and read the errors.

// tracking is what a client has asked for; nil while it is off.
type tracking struct {
	// redirect is the client to be told instead of this one, which may have gone since; 0 is this one.
	redirect int64
	trackingMode
	// caching is whether CLIENT CACHING was the last request.
	caching bool
	// prefixes are those of the keys that are of interest in broadcast mode, "" for all.
	prefixes map[string]struct{}
}

// trackingMode is how keys are chosen.
type trackingMode struct{ bcast, optin, optout, noloop bool }

// maxPrefixes bounds the prefixes of one client, allPrefixes those of all together, maxPrefix the length of each: they stay, and are of no
// use to anybody.
const (
	maxPrefixes = 256
	allPrefixes = 1 << 16
	maxPrefix   = 256
)

// tracked is what INFO tells of all clients. It is kept, since to count anew what thousands have is more than one request may take.
type tracked struct {
	clients int
	// prefixes has how many clients have each, ofAll is their sum.
	prefixes map[string]int
	ofAll    int
}

const otherMode = " before disabling tracking for this client, and then re-enabling it with a different mode."

func (c *Client) clientTracking(args []string, r *reply) {
	want, prefixes, problem := c.parseTracking(args[1:])
	on, ok := onOff(args[0])
	switch {
	case problem != "":
	case !ok:
		problem = syntaxError
	case on:
		problem = c.mayTrack(want, prefixes)
	}
	if problem != "" {
		r.error(problem)
		return
	}
	if on {
		c.track(want, prefixes)
	} else {
		c.untrack()
	}
	r.ok()
}

// parseTracking reads the options, which must be right even where tracking is turned off.
func (c *Client) parseTracking(options []string) (want tracking, prefixes []string, problem string) {
	for ; len(options) > 0; options = options[1:] {
		switch word := strings.ToLower(options[0]); {
		case word == "redirect" && len(options) > 1:
			if want.redirect != 0 {
				return want, nil, "ERR A client can only redirect to a single other client"
			}
			options = options[1:]
			id, ok := integer(options[0])
			if !ok {
				return want, nil, notInteger
			}
			if !c.face.hasClient(id) {
				return want, nil, "ERR The client ID you want redirect to does not exist"
			}
			want.redirect = id
		case word == "prefix" && len(options) > 1:
			options = options[1:]
			prefixes = append(prefixes, options[0])
		case !want.take(word):
			return want, nil, syntaxError
		}
	}
	return want, prefixes, ""
}

// take reads a word that has nothing behind it.
func (m *trackingMode) take(word string) (known bool) {
	switch word {
	case "bcast":
		m.bcast = true
	case "optin":
		m.optin = true
	case "optout":
		m.optout = true
	case "noloop":
		m.noloop = true
	default:
		return false
	}
	return true
}

func (f *Face) hasClient(id int64) bool {
	for c := range f.clients {
		if c.id == id {
			return true
		}
	}
	return false
}

// mayTrack returns the text of an error where the modes don't go together, or with those that are on.
func (c *Client) mayTrack(want tracking, prefixes []string) (problem string) {
	has := c.tracks
	switch {
	case !want.bcast && len(prefixes) > 0:
		return "ERR PREFIX option requires BCAST mode to be enabled"
	case has != nil && has.bcast != want.bcast:
		return "ERR You can't switch BCAST mode on/off" + otherMode
	case want.bcast && (want.optin || want.optout):
		return "ERR OPTIN and OPTOUT are not compatible with BCAST"
	case want.optin && want.optout:
		return "ERR You can't specify both OPTIN mode and OPTOUT mode"
	case has != nil && (want.optin && has.optout || want.optout && has.optin):
		return "ERR You can't switch OPTIN/OPTOUT mode" + otherMode
	case has != nil:
		return c.face.mayAdd(has.prefixes, prefixes)
	default:
		return c.face.mayAdd(nil, prefixes)
	}
}

// mayAdd returns the text of an error where prefixes can't be added to those that a client has.
func (f *Face) mayAdd(has map[string]struct{}, prefixes []string) (problem string) {
	if problem = overlap(has, prefixes); problem != "" || len(prefixes) == 0 {
		return problem
	}
	tooLong := func(p string) bool { return len(p) > maxPrefix }
	switch {
	case len(has)+len(prefixes) > maxPrefixes, slices.ContainsFunc(prefixes, tooLong):
		return "ERR at most 256 prefixes of 256 bytes can be tracked"
	case f.tracked.ofAll+len(prefixes) > allPrefixes:
		return "ERR all clients together track too many prefixes"
	default:
		return ""
	}
}

// overlap finds two prefixes of which one begins with the other.
func overlap(has map[string]struct{}, prefixes []string) (problem string) {
	const rule = "'. Prefixes for a single client must not overlap."
	olds := slices.Sorted(maps.Keys(has))
	for i, p := range prefixes {
		for _, old := range olds {
			if eitherBegins(p, old) {
				return "ERR Prefix '" + shown(p) + "' overlaps with an existing prefix '" + shown(old) + rule
			}
		}
		for _, other := range prefixes[i+1:] {
			if eitherBegins(p, other) {
				return "ERR Prefix '" + shown(p) + "' overlaps with another provided prefix '" + shown(other) + rule
			}
		}
	}
	return ""
}

func eitherBegins(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }

// track turns it on, or changes what is on: prefixes are added to those that there are.
func (c *Client) track(want tracking, prefixes []string) {
	all := &c.face.tracked
	if has := c.tracks; has != nil {
		want.caching, want.prefixes = has.caching, has.prefixes
	} else {
		all.clients++
	}
	c.tracks = &want
	if want.bcast && len(prefixes) == 0 {
		prefixes = []string{""}
	}
	for _, p := range prefixes {
		if _, has := want.prefixes[p]; has {
			continue
		}
		if want.prefixes == nil {
			want.prefixes = map[string]struct{}{}
		}
		if all.prefixes == nil {
			all.prefixes = map[string]int{}
		}
		want.prefixes[p] = struct{}{}
		all.prefixes[p]++
		all.ofAll++
	}
}

// untrack turns it off.
func (c *Client) untrack() {
	if c.tracks == nil {
		return
	}
	all := &c.face.tracked
	all.clients--
	all.ofAll -= len(c.tracks.prefixes)
	for p := range c.tracks.prefixes {
		if all.prefixes[p]--; all.prefixes[p] == 0 {
			delete(all.prefixes, p)
		}
	}
	c.tracks = nil
}

func (c *Client) clientTrackingInfo(_ []string, r *reply) {
	r.dict(3)
	r.bulk("flags")
	flags := c.tracks.flags()
	r.set(len(flags))
	r.strings(flags...)
	r.bulk("redirect")
	r.integer(c.redirect())
	r.bulk("prefixes")
	var prefixes []string
	if c.tracks != nil {
		prefixes = slices.Sorted(maps.Keys(c.tracks.prefixes))
	}
	r.array(len(prefixes))
	r.strings(prefixes...)
}

// flags are the modes in Redis' order.
func (t *tracking) flags() []string {
	if t == nil {
		return []string{"off"}
	}
	all := []string{"on"}
	for _, f := range []struct {
		is   bool
		name string
	}{
		{t.bcast, "bcast"}, {t.optin, "optin"}, {t.optin && t.caching, "caching-yes"},
		{t.optout, "optout"}, {t.optout && t.caching, "caching-no"}, {t.noloop, "noloop"},
	} {
		if f.is {
			all = append(all, f.name)
		}
	}
	return all
}

func (c *Client) clientGetRedir(_ []string, r *reply) { r.integer(c.redirect()) }

// redirect is the client that is told instead of this one: 0 is none, -1 that nobody is.
func (c *Client) redirect() int64 {
	if c.tracks == nil {
		return -1
	}
	return c.tracks.redirect
}

// clientCaching says whether the keys of the next request are to be tracked.
func (c *Client) clientCaching(args []string, r *reply) {
	t, word := c.tracks, strings.ToLower(args[0])
	switch {
	case t == nil:
		r.error("ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled")
	case word == "yes" && !t.optin:
		r.error("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
	case word == "no" && !t.optout:
		r.error("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
	case word != "yes" && word != "no":
		r.error(syntaxError)
	default:
		t.caching = true
		r.ok()
	}
}

// cached ends what CLIENT CACHING has said, with the first request that is none of CLIENT's.
func (c *Client) cached(request *command) {
	if c.tracks != nil && (request == nil || request.container != "client") {
		c.tracks.caching = false
	}
}
