package sentinelconf

import (
	"slices"
	"strings"
)

// kind is what may follow a directive.
type kind uint8

const (
	kindYesNo kind = iota + 1
	kindInteger
	kindOctal
	kindMemory
	kindMemoryOrPercent
	kindOneOf
	kindSomeOf
	// kindText may be empty; kindTextOrNone is not there when it is.
	kindText
	kindTextOrNone
	kindAddresses
	kindDirectory
	kindSavePoints
	kindBufferLimits
	kindOomScores
	kindEventClasses
	kindReplicaOf
	kindPercentiles
)

// directive is one word that redis-server knows.
type directive struct {
	name string
	// means is the newer name of an older one, which then has nothing else.
	means string
	kind  kind
	// usual is the value as Redis would write it, "" where it would write none.
	usual string
	// least and most bound a number.
	least, most int64
	// words are those that kindOneOf and kindSomeOf take; same is one of them and the other that is written in its place.
	words, same string
}

// many reports whether any number of words may follow.
func (k kind) many() bool {
	return k == kindSomeOf || k == kindAddresses || k >= kindSavePoints && k != kindEventClasses
}

// directiveAt finds a directive, given in small letters, and where it stands in the table; an older name is that of the
// newer. It returns -1 where there is none.
func directiveAt(name string) int {
	for {
		at, found := slices.BinarySearchFunc(directives[:], name, func(d directive, name string) int { return strings.Compare(d.name, name) })
		if !found {
			return -1
		}
		if directives[at].means == "" {
			return at
		}
		name = directives[at].means
	}
}

// ofTheFileAlone are the directives that have no value: Redis does something when it reads them.
var ofTheFileAlone = [...]string{"include", "list-max-ziplist-entries", "list-max-ziplist-value", "loadmodule", "lua-replicate-commands",
	"rename-command", "user"}

// known reports whether Redis 7.0 knows the directive, given in small letters.
func known(name string) bool {
	return directiveAt(name) >= 0 || slices.Contains(ofTheFileAlone[:], name)
}

// directiveNames lists them all, for the nearest one to what was written.
func directiveNames() []string {
	names := slices.Clone(ofTheFileAlone[:])
	for _, d := range directives {
		names = append(names, d.name)
	}
	return names
}
