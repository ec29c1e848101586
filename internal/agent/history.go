package agent

import (
	"time"

	"redkeep/internal/picture"
	"redkeep/internal/speak/record"
	"redkeep/internal/words"
)

// history reads what the store remembers of a group, for whoever asks, on his goroutine. Lines that can't be read (torn by a
// power cut, or of another release) are left out.
func (a *Agent) history(name words.Group) ([]picture.Noted, error) {
	lines, err := a.store.History(name)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	var entries []picture.Noted
	for _, line := range lines {
		at, r, err := record.ParseNoted(line)
		if err != nil {
			continue
		}
		entries = append(entries, picture.Noted{At: at, Ago: max(0, now.Sub(at)), Reason: r})
	}
	return entries, nil
}
