package agent

import (
	"os"
	"runtime"
)

// groupsPerCore is how many groups one core is plenty for: each costs it some half of a percent.
const groupsPerCore = 32

// limitCores has the runtime use as many cores as the groups need. The steps of a beat follow one another, so that a second core
// saves nothing; but the runtime wakes a thread there for each of them, to look for work. That costs an idle agent a quarter
// of its time. Calls to the kernel that wait don't occupy a core. The environment's GOMAXPROCS outranks this.
func limitCores(groups int) {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(min(1+groups/groupsPerCore, runtime.NumCPU()))
	}
}
