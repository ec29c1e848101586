package sentinel

import (
	"testing"

	face "redkeep/internal/show/sentinel"
)

// TestRulesOfTheRelease: what is wrong with a rule depends on the commands that there are.
func TestRulesOfTheRelease(t *testing.T) {
	rules := []string{"on", "+client|setinfo|x"} // a word of a subcommand, which only a later release has
	if at, err := CheckUser(face.Redis72, rules); err == nil || at != 1 {
		t.Errorf("Redis 7.2: %d, %v", at, err)
	}
	if _, err := CheckUser(face.Redis70, rules); err != nil {
		t.Errorf("Redis 7.0: %v; names are looked at when all users are known", err)
	}
}
