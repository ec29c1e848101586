package syntax

import "testing"

// FuzzWord holds that each word is read back as itself, alone and between others.
func FuzzWord(f *testing.F) {
	for _, word := range []string{"", "plain", "two words", `"`, `'`, `\`, "\x00", "\x01\xff", "\v", "#"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		for _, printed := range []string{Word(word), Quote(word)} {
			if got, ok := Split("a " + printed + " b"); !ok || len(got) != 3 || got[1] != word {
				t.Errorf("%q is printed as %s, and read as %q", word, printed, got)
			}
		}
	})
}
