package info

import (
	"strconv"
	"strings"
	"time"
)

// Watch is what a Sentinel wants of an answer to INFO. It is read in one pass and without a map, since one that watches a thousand
// groups reads hundreds of answers a second.
type Watch struct {
	RunID string
	// Role is "" where the answer has none.
	Role string
	// Replicas are those that a master lists, by an address or by a name.
	Replicas []Listed
	// Of a replica.
	MasterHost string
	MasterPort int
	LinkUp     bool
	LinkDown   time.Duration
	Priority   int
	Offset     int64
	Announced  bool
	// HandsOver says that the server tells of failovers of its own: it knows the command.
	HandsOver bool
}

// Listed is where a master says that one of its replicas is.
type Listed struct {
	Host string
	Port int
}

// ParseWatch reads an answer of any version. What is missing is as a Sentinel takes it: priority 100, announced.
func ParseWatch(text string) Watch {
	w := Watch{Priority: 100, Announced: true}
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if line == "" || line[0] != 'r' && line[0] != 'm' && line[0] != 's' {
			continue // as are most
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || len(name) < len("role") {
			continue
		}
		w.field(name, strings.TrimRight(value, "\r"))
	}
	return w
}

func (w *Watch) field(name, value string) {
	switch name[0] {
	case 'r':
		switch name {
		case "run_id":
			w.RunID = value
		case "role":
			w.Role = value
		case "replica_announced":
			w.Announced = value != "0"
		}
	case 'm':
		switch name {
		case "master_failover_state":
			w.HandsOver = true
		case "master_host":
			w.MasterHost = value
		case "master_port":
			w.MasterPort = int(port(value))
		case "master_link_status":
			w.LinkUp = strings.EqualFold(value, "up")
		case "master_link_down_since_seconds":
			n, _ := strconv.ParseInt(value, 10, 64)
			w.LinkDown = seconds(n)
		}
	case 's':
		w.fieldOfReplicas(name, value)
	}
}

func (w *Watch) fieldOfReplicas(name, value string) {
	switch {
	case name == "slave_priority":
		if n, err := strconv.Atoi(value); err == nil {
			w.Priority = n
		}
	case name == "slave_repl_offset":
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			w.Offset = n
		}
	case strings.HasPrefix(name, "slave") && name[5:] != "" && name[5] >= '0' && name[5] <= '9':
		if l, ok := listed(value); ok {
			w.Replicas = append(w.Replicas, l)
		}
	}
}

// listed reads the line of a replica: ip=A,port=N,... since 2.8, A,N,state before.
func listed(value string) (Listed, bool) {
	host, portText := "", ""
	for i := 0; value != ""; i++ {
		var part string
		part, value, _ = strings.Cut(value, ",")
		switch name, v, named := strings.Cut(part, "="); {
		case named && name == "ip", !named && i == 0:
			host = word(v, part, named)
		case named && name == "port", !named && i == 1:
			portText = word(v, part, named)
		}
	}
	p := int(port(portText))
	return Listed{host, p}, host != "" && p > 0
}

func word(value, whole string, named bool) string {
	if named {
		return value
	}
	return whole
}
