package hello

import (
	"strconv"
	"strings"
)

// Channel is where servers and Sentinels are greeted.
const Channel = "__sentinel__:hello"

// Hello is one greeting.
type Hello struct {
	// Host and Port are the sender's, ID its own 40 characters.
	Host string
	Port int
	ID   string
	// CurrentEpoch is the highest that the sender knows.
	CurrentEpoch uint64
	// Group is the name of a master, which the sender holds to be at MasterHost and MasterPort since ConfigEpoch.
	Group       string
	MasterHost  string
	MasterPort  int
	ConfigEpoch uint64
}

// Append prints the greeting.
func (h *Hello) Append(b []byte) []byte {
	b = append(b, h.Host...)
	b = strconv.AppendInt(append(b, ','), int64(h.Port), 10)
	b = append(append(b, ','), h.ID...)
	b = strconv.AppendUint(append(b, ','), h.CurrentEpoch, 10)
	b = append(append(b, ','), h.Group...)
	b = append(append(b, ','), h.MasterHost...)
	b = strconv.AppendInt(append(b, ','), int64(h.MasterPort), 10)
	return strconv.AppendUint(append(b, ','), h.ConfigEpoch, 10)
}

// Parse reads a greeting. ok is false for everything that has not eight fields with the numbers in their places.
func Parse(text string) (h Hello, ok bool) {
	var fields [8]string
	rest := text
	for i := range fields {
		var more bool
		fields[i], rest, more = strings.Cut(rest, ",")
		if more != (i < len(fields)-1) {
			return Hello{}, false
		}
	}
	h = Hello{Host: fields[0], ID: fields[2], Group: fields[4], MasterHost: fields[5]}
	var errs [4]error
	h.Port, errs[0] = port(fields[1])
	h.CurrentEpoch, errs[1] = strconv.ParseUint(fields[3], 10, 64)
	h.MasterPort, errs[2] = port(fields[6])
	h.ConfigEpoch, errs[3] = strconv.ParseUint(fields[7], 10, 64)
	for _, err := range errs {
		if err != nil {
			return Hello{}, false
		}
	}
	return h, true
}

func port(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err
}
