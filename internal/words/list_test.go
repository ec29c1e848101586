package words

import "testing"

func TestListDigest(t *testing.T) {
	abc := ListDigest([]Node{"a", "b", "c"})
	if abc == 0 || abc != ListDigest([]Node{"c", "a", "b"}) {
		t.Error("the order in the file counts")
	}
	for _, other := range [][]Node{nil, {"a"}, {"a", "b"}, {"ab", "c"}, {"a", "bc"}, {"abc"}} {
		if ListDigest(other) == abc {
			t.Errorf("%v has the name of another list", other)
		}
	}
	if ListDigest(nil) != 0 {
		t.Error("no list has a name")
	}
}
