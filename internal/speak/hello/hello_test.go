package hello

import "testing"

func TestHello(t *testing.T) {
	const text = "10.0.0.1,26379,8b1f2d2dcd7b6d6b5d6d0d6d2d8e9a1b2c3d4e5f,7,orders,10.0.0.2,6379,5"
	h, ok := Parse(text)
	want := Hello{"10.0.0.1", 26379, "8b1f2d2dcd7b6d6b5d6d0d6d2d8e9a1b2c3d4e5f", 7, "orders", "10.0.0.2", 6379, 5}
	if !ok || h != want {
		t.Fatalf("%+v, %v", h, ok)
	}
	if got := string(h.Append(nil)); got != text {
		t.Errorf("printed %q", got)
	}
}

func TestNoHello(t *testing.T) {
	for _, text := range []string{
		"", "hello", "10.0.0.1,26379,id,7,orders,10.0.0.2,6379", "10.0.0.1,26379,id,7,orders,10.0.0.2,6379,5,6",
		"10.0.0.1,x,id,7,orders,10.0.0.2,6379,5", "10.0.0.1,26379,id,7,orders,10.0.0.2,70000,5", "10.0.0.1,26379,id,-7,orders,10.0.0.2,6379,5",
	} {
		if h, ok := Parse(text); ok {
			t.Errorf("%q: %+v", text, h)
		}
	}
}

// FuzzHello checks that whatever is read is printed so that it is read as the same.
func FuzzHello(f *testing.F) {
	f.Add("10.0.0.1,26379,id,7,orders,10.0.0.2,6379,5")
	f.Fuzz(func(t *testing.T, text string) {
		h, ok := Parse(text)
		if !ok {
			return
		}
		if again, ok := Parse(string(h.Append(nil))); !ok || again != h {
			t.Fatalf("%q: %+v, then %+v", text, h, again)
		}
	})
}
