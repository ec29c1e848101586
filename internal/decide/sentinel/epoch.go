package sentinel

import (
	"strconv"
	"time"
)

// lastEpoch is the highest that Sentinels can ask each other about, since they ask with a signed number. Who asks about a negative one,
// or greets with such, has not counted so far: redis-sentinel takes it, and comes to 0 after it, an epoch in which nobody ever votes
// for it again.
const lastEpoch = 1<<63 - 1

// leap is how far ahead of this Sentinel another's epoch may be to be believed. Anybody who reaches a port may name one, and the last
// would leave no room for another election. Nobody counts to this many honestly: it is a failover each second for 136 years.
const leap = 1 << 32

// leapPause is how long nothing more is believed of one who is farther ahead than a leap. A Sentinel without its file, among others that
// have been led astray several times, must get there at some time; who greets with the last epoch for ever would be at its end in 4,000 years.
const leapPause = time.Minute

// counted returns an epoch that the file has; 0 for one that nobody can have counted to, as redis-sentinel may have left it there.
func counted(epoch uint64) uint64 {
	if epoch > lastEpoch {
		return 0
	}
	return epoch
}

// adopt takes over a higher epoch than this Sentinel's, if it is one: as far as a leap goes.
func (m *Machine) adopt(g *group, epoch uint64) {
	if epoch <= m.currentEpoch || epoch > lastEpoch {
		return
	}
	if epoch-m.currentEpoch > leap {
		if m.leapt != 0 && m.since(m.leapt) < leapPause {
			return
		}
		m.note(Warning, "Epoch "+strconv.FormatUint(epoch, 10)+" is more than "+strconv.FormatUint(leap, 10)+" ahead, which nobody can have counted to: I go that far and no farther")
		m.leapt, epoch = m.now, m.currentEpoch+leap
	}
	m.currentEpoch = epoch
	m.save()
	m.proclaim(g, "+new-epoch", strconv.FormatUint(epoch, 10))
}

// atLastEpoch reports that there is no epoch for another failover, and says what to do: only a file that redis-sentinel has left may be so far.
func (m *Machine) atLastEpoch(g *group) bool {
	if m.currentEpoch < lastEpoch {
		return false
	}
	m.note(Warning, "No failover of "+g.name+": epoch "+strconv.FormatUint(m.currentEpoch, 10)+
		" is the last there is; stop all Sentinels, set current-epoch, config-epoch and leader-epoch in their files to 0, and start them again")
	return true
}
