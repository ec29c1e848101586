package agent

import (
	"math"
	"testing"
)

// TestClientsLeaveFilesToTheAgent holds the bound of the face's clients against limits of open files.
func TestClientsLeaveFilesToTheAgent(t *testing.T) {
	for files, want := range map[uint64]int{0: 16, 256: 16, 1024: 512, 10_512: 10_000, 524_288: 10_000, math.MaxUint64: 10_000} {
		if got := faceClients(files); got != want {
			t.Errorf("%d files: %d clients, want %d", files, got, want)
		}
	}
}
