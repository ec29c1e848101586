package sentinel

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"redkeep/internal/words"
)

// The subcommands of SENTINEL that would change what Sentinel keeps in its file. Redkeep's groups and settings are those of
// redkeep.yaml, the same on every node; a change on one node alone would have the nodes differ. So requests are checked as
// Sentinel checks them, and then refused with what to do instead.

// What to do instead.
const (
	groupsAreOfTheFile   = "ERR groups are those of redkeep.yaml: change it on every node, and start the agents again one after the other"
	settingsAreOfTheFile = "ERR settings are those of redkeep.yaml: change them there on every node, and start the agents again one after the other"
)

// settings are those of SENTINEL CONFIG, with what they are here.
var settings = []field{
	{"resolve-hostnames", "no"},
	{"announce-hostnames", "no"},
	{"announce-ip", ""},
	{"announce-port", "0"},
	{"sentinel-user", ""},
	{"sentinel-pass", ""},
}

const configForms = "ERR Only SENTINEL CONFIG GET <option> / SET <option> <value> are supported."

func (c *client) config(args []string, r *reply) {
	switch {
	case strings.EqualFold(args[0], "get") && len(args) == 2:
		var found []field
		for _, f := range settings {
			if matchesFold(args[1], f.name) {
				found = append(found, f)
			}
		}
		r.fields(found)
	case strings.EqualFold(args[0], "set") && len(args) == 3:
		configSet(args[1], args[2], r)
	default:
		r.error(configForms)
	}
}

// configSet accepts what is so already.
func configSet(option, value string, r *reply) {
	i := slices.IndexFunc(settings, func(f field) bool { return strings.EqualFold(f.name, option) })
	if i < 0 {
		r.error("ERR Invalid argument '" + short(option) + "' to SENTINEL CONFIG SET")
		return
	}
	valid := true
	switch name := settings[i].name; {
	case strings.HasSuffix(name, "-hostnames"):
		valid = strings.EqualFold(value, "yes") || strings.EqualFold(value, "no")
		value = strings.ToLower(value)
	case name == "announce-port":
		n, err := strconv.Atoi(value)
		valid = err == nil && n >= 0 && n < 1<<16
	}
	switch {
	case !valid:
		r.error("ERR Invalid value '" + short(value) + "' to SENTINEL CONFIG SET '" + short(option) + "'")
	case value == settings[i].value:
		r.ok()
	default:
		r.error(settingsAreOfTheFile)
	}
}

// flushConfig is always done: what counts is on disk before it is told to anybody.
func (c *client) flushConfig(_ []string, r *reply) { r.ok() }

func (c *client) monitor(args []string, r *reply) {
	quorum, err := strconv.Atoi(args[3])
	if err != nil {
		r.error("ERR Invalid quorum")
		return
	}
	port, err := strconv.Atoi(args[2])
	if err != nil {
		r.error("ERR Invalid port")
		return
	}
	_, badAddr := netip.ParseAddr(args[1])
	_, known := c.face.config.Picture().Group(words.Group(args[0]))
	switch {
	case badAddr != nil:
		r.error("ERR Invalid IP address or hostname specified")
	case quorum < 1:
		r.error("ERR Quorum must be 1 or greater.")
	case port < 0 || port >= 1<<16:
		r.error("ERR Invalid port number.")
	case known:
		r.error("ERR Duplicate master name.")
	default:
		r.error(groupsAreOfTheFile)
	}
}

func (c *client) remove(args []string, r *reply) {
	if _, ok := c.face.config.Picture().Group(words.Group(args[0])); !ok {
		r.error(noSuchMaster)
		return
	}
	r.error("ERR groups are those of redkeep.yaml: to let go of one, run: redkeep leave " + short(args[0]))
}

// set checks the options as Sentinel does, and refuses what is good. What is so already is accepted.
func (c *client) set(args []string, r *reply) {
	if _, ok := c.face.config.Picture().Group(words.Group(args[0])); !ok {
		r.error(noSuchMaster)
		return
	}
	for args = args[1:]; len(args) > 0; {
		option, n := strings.ToLower(args[0]), 1
		least, numeric := setOptions[option]
		if option == "rename-command" {
			n = 2
		}
		if _, texts := setTexts[option]; !numeric && !texts || len(args) <= n {
			r.error("ERR Unknown option or number of arguments for SENTINEL SET '" + short(args[0]) + "'")
			return
		}
		if v, err := strconv.Atoi(args[1]); numeric && (err != nil || v < least) {
			r.error("ERR Invalid argument '" + short(args[1]) + "' for SENTINEL SET '" + short(args[0]) + "'")
			return
		}
		if strings.HasSuffix(option, "-script") {
			r.error("ERR Reconfiguration of scripts path is denied for security reasons. Check the deny-scripts-reconfig configuration directive in your Sentinel configuration")
			return
		}
		args = args[1+n:]
	}
	r.error(settingsAreOfTheFile)
}

// setOptions are the numeric options of SENTINEL SET with their least value.
var setOptions = map[string]int{
	"down-after-milliseconds": 1, "failover-timeout": 1, "parallel-syncs": 1, "quorum": 1, "master-reboot-down-after-period": 0,
}

// setTexts are its other options.
var setTexts = map[string]struct{}{
	"notification-script": {}, "client-reconfig-script": {}, "auth-pass": {}, "auth-user": {}, "rename-command": {},
}

// reset counts the groups that a pattern covers. Sentinel forgets replicas and Sentinels that are gone; there is nothing to
// forget here, since the nodes are those of the file.
func (c *client) reset(args []string, r *reply) {
	n := int64(0)
	for _, g := range c.face.config.Picture().Groups {
		if matches(args[0], string(g.Name)) {
			n++
		}
	}
	r.integer(n)
}

// periods are Sentinel's, which tools read; nothing here waits for one, so none can be set.
var periods = []field{
	{"INFO-PERIOD", "10000"},
	{"PING-PERIOD", "1000"},
	{"ASK-PERIOD", "1000"},
	{"PUBLISH-PERIOD", "2000"},
	{"DEFAULT-DOWN-AFTER", "30000"},
	{"DEFAULT-FAILOVER-TIMEOUT", "180000"},
	{"TILT-TRIGGER", "2000"},
	{"TILT-PERIOD", "30000"},
	{"SLAVE-RECONF-TIMEOUT", "10000"},
	{"MIN-LINK-RECONNECT-PERIOD", "15000"},
	{"ELECTION-TIMEOUT", "10000"},
	{"SCRIPT-MAX-RUNTIME", "60000"},
	{"SCRIPT-RETRY-DELAY", "30000"},
}

func (c *client) debug(args []string, r *reply) {
	if len(args) == 0 {
		r.fields(periods)
		return
	}
	same := true
	for ; len(args) > 0; args = args[2:] {
		i := slices.IndexFunc(periods, func(f field) bool { return strings.EqualFold(f.name, args[0]) })
		if i < 0 || len(args) < 2 {
			r.error("ERR Unknown option or number of arguments for SENTINEL DEBUG '" + short(args[0]) + "'")
			return
		}
		if n, err := strconv.Atoi(args[1]); err != nil || n < 1 {
			r.error("ERR Invalid argument '" + short(args[1]) + "' for SENTINEL DEBUG '" + short(args[0]) + "'")
			return
		}
		same = same && args[1] == periods[i].value
	}
	if !same {
		r.error("ERR nothing here waits for one of Sentinel's periods, so there is none to set; what can be set is lease and down_after in redkeep.yaml")
		return
	}
	r.ok()
}

func (c *client) simulateFailure(args []string, r *reply) {
	for _, a := range args {
		switch strings.ToLower(a) {
		case "crash-after-election", "crash-after-promotion":
		case "help":
			r.array(2)
			r.strings("crash-after-election", "crash-after-promotion")
			return
		default:
			r.error("ERR Unknown failure simulation specified")
			return
		}
	}
	r.error("ERR SIMULATE-FAILURE is refused: kill the agent on its host to see what happens (docs/faults.md has every fault)")
}
