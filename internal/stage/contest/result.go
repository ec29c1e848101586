package contest

import (
	"encoding/json"
	"math"
	"time"
)

// Duration is a time that is written in milliseconds, to the microsecond.
type Duration time.Duration

// MarshalJSON writes a number of milliseconds.
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(math.Round(float64(d)/float64(time.Microsecond)) / 1000)
}

// Result is what a trial measured.
type Result struct {
	Contender string `json:"contender"`
	Fault     string `json:"fault"`
	// Gap is the longest stretch in which the client had no acknowledgement.
	Gap Duration `json:"gap_ms"`
	// MendGap is the longest such stretch after the fault was mended.
	MendGap Duration `json:"mend_gap_ms"`
	// Acked is how many writes were acknowledged to the client, and Lost how many of them the last master did not have.
	Acked int `json:"acked"`
	Lost  int `json:"lost"`
	// LostLocally is the same for clients on the hosts themselves, who see no cut and write to their own server.
	LostLocally int `json:"lost_locally"`
	// Double is for how long two hosts acknowledged writes, at the least.
	Double Duration `json:"two_masters_ms"`
	// Asked says that a third host asked for the address (ARP), and TwoAnswer for how long two hosts answered it, at the least.
	Asked     bool     `json:"asked,omitempty"`
	TwoAnswer Duration `json:"two_answer_ms"`
	// Stall is the longest stretch within the gap in which this machine ran nothing when it should have.
	Stall Duration `json:"stall_ms"`
	// Recovered says that writes went on in time, and Settled that there was one master in the end.
	Recovered bool `json:"recovered"`
	Settled   bool `json:"settled"`
}
