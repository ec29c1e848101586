package seal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"testing"

	"redkeep/internal/words"
)

var secret = []byte("a-shared-secret")

func link(t testing.TB, self, peer words.Node, session words.Session, nonce uint64) *Link {
	t.Helper()
	l, err := NewLink(secret, self, peer, session, nonce)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// pair returns two ends that have heard each other.
func pair(t testing.TB) (a, b *Link) {
	t.Helper()
	a, b = link(t, "a", "b", 1, 0xa1), link(t, "b", "a", 1, 0xb1)
	r, err := b.Open(a.Hello(nil))
	if !errors.Is(err, ErrUnproven) {
		t.Fatal(err)
	}
	if _, err := a.Open(b.Answer(nil, r)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open(a.Seal(nil, nil)); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// The bytes on the wire are a promise to agents of other releases.
func TestDatagramBytes(t *testing.T) {
	a := link(t, "a", "b", 0x0102, 0xa1)
	want := "524b0101" + "0000000000000102" + "00000000000000a1" + "0000000000000000" + "0000000000000000" +
		"0000000000000001" + "01" + "61" + "00026869"
	body := AppendItem(nil, []byte("hi"))
	got := a.Seal(nil, body)
	if text := hex.EncodeToString(got[:len(got)-tagSize]); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if tag := hex.EncodeToString(got[len(got)-tagSize:]); tag != "1ff4a628a2605c885442cfbdde3f17fc" {
		t.Errorf("tag %s", tag)
	}
}

func TestFirstDatagramCostsOneRoundTrip(t *testing.T) {
	a, b := link(t, "a", "b", 5, 0xa5), link(t, "b", "a", 3, 0xb3)
	r, err := b.Open(a.Seal(nil, []byte("first")))
	if !errors.Is(err, ErrUnproven) || r.Body != nil {
		t.Fatalf("unproven: %+v, %v", r, err)
	}
	hello := b.Answer(nil, r)
	r, err = a.Open(hello)
	if err != nil || string(r.Resend) != "first" || r.Session != 3 || a.Heard() != 3 {
		t.Fatalf("hello: %+v, %v", r, err)
	}
	if r, err = b.Open(a.Seal(nil, r.Resend)); err != nil || string(r.Body) != "first" || r.Session != 5 {
		t.Fatalf("again: %+v, %v", r, err)
	}
	if r, err = a.Open(b.Seal(nil, []byte("back"))); err != nil || string(r.Body) != "back" {
		t.Fatalf("back: %+v, %v", r, err)
	}
	if _, err = a.Open(hello); !errors.Is(err, ErrReplayed) {
		t.Errorf("the same hello once more: %v", err)
	}
}

func TestRefusedDatagramIsSentAgainOnce(t *testing.T) {
	a, b := link(t, "a", "b", 5, 0xa5), link(t, "b", "a", 3, 0xb3)
	packet := a.Seal(nil, []byte("x"))
	first, _ := b.Open(packet)
	second, _ := b.Open(packet)
	r, err := a.Open(b.Answer(nil, first))
	if err != nil || string(r.Resend) != "x" {
		t.Fatalf("%+v, %v", r, err)
	}
	if r, err = a.Open(b.Answer(nil, second)); err != nil || r.Resend != nil {
		t.Errorf("duplicate: %+v, %v", r, err)
	}
}

func TestRestartedReceiverTakesNoRecording(t *testing.T) {
	a, b := pair(t)
	recorded := a.Seal(nil, []byte("grant"))
	if _, err := b.Open(recorded); err != nil {
		t.Fatal(err)
	}
	b2 := link(t, "b", "a", 2, 0xb2)
	r, err := b2.Open(recorded)
	if !errors.Is(err, ErrUnproven) {
		t.Fatalf("recording at a restarted receiver: %v", err)
	}
	// The sender is alive, so what it says is believed after the hello.
	r, err = a.Open(b2.Answer(nil, r))
	if err != nil || a.Heard() != 2 {
		t.Fatalf("hello of the new session: %v", err)
	}
	// What was said to session 1 is not said to session 2: a grant would be for another's beat.
	if r.Resend != nil {
		t.Errorf("%q is sent again to another session", r.Resend)
	}
	if r, err = b2.Open(a.Seal(nil, []byte("anew"))); err != nil || string(r.Body) != "anew" {
		t.Errorf("after the hello: %+v, %v", r, err)
	}
	if _, err := a.Open(b.Seal(nil, []byte("late"))); !errors.Is(err, ErrOldSession) {
		t.Errorf("late datagram of the old session: %v", err)
	}
}

func TestOldSessionAndTwinAreRefusedAndTold(t *testing.T) {
	a, b := link(t, "a", "b", 9, 0xa9), link(t, "b", "a", 1, 0xb1)
	r, _ := b.Open(a.Seal(nil, nil))
	r, _ = a.Open(b.Answer(nil, r))
	if _, err := b.Open(a.Seal(nil, r.Resend)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		session words.Session
		nonce   uint64
		want    error
	}{{4, 0xa4, ErrOldSession}, {9, 0xbad, ErrTwin}} {
		other := link(t, "a", "b", test.session, test.nonce)
		r, err := b.Open(other.Seal(nil, []byte("x")))
		if !errors.Is(err, ErrUnproven) {
			t.Fatal(err)
		}
		r, err = other.Open(b.Answer(nil, r))
		if err != nil || r.Outlived != 9 {
			t.Errorf("session %d is told of %d, %v", test.session, r.Outlived, err)
		}
		if _, err := b.Open(other.Seal(nil, []byte("x"))); !errors.Is(err, test.want) {
			t.Errorf("session %d: %v, want %v", test.session, err, test.want)
		}
	}
	if _, err := b.Open(a.Seal(nil, []byte("x"))); err != nil {
		t.Errorf("the right one is disturbed: %v", err)
	}
}

func TestForgeriesAreRefused(t *testing.T) {
	a, b := pair(t)
	packet := a.Seal(nil, []byte("x"))
	for i := range packet {
		bad := bytes.Clone(packet)
		bad[i] ^= 1
		if _, err := b.Open(bad); err == nil {
			t.Fatalf("byte %d changed, and taken", i)
		}
	}
	for n := range packet {
		if _, err := b.Open(packet[:n]); err == nil {
			t.Fatalf("cut to %d bytes, and taken", n)
		}
	}
	other, err := NewLink([]byte("another"), "a", "b", 1, 0xa1)
	if err != nil {
		t.Fatal(err)
	}
	c := link(t, "c", "b", 1, 0xc1)
	for name, bad := range map[string][]byte{
		"another secret": other.Seal(nil, nil), "another sender": c.Seal(nil, nil),
		"for another": link(t, "a", "c", 1, 0xa1).Seal(nil, nil), "reflected": b.Seal(nil, nil),
	} {
		if _, err := b.Open(bad); !errors.Is(err, ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Open(packet); err != nil {
		t.Errorf("the genuine one: %v", err)
	}
}

func TestReorderedIsTakenOnceWithinTheWindow(t *testing.T) {
	a, b := pair(t)
	var packets [][]byte
	for range 200 {
		packets = append(packets, a.Seal(nil, nil))
	}
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(packets), func(i, j int) { packets[i], packets[j] = packets[j], packets[i] })
	for _, want := range []error{nil, ErrReplayed} {
		for _, p := range packets {
			if _, err := b.Open(p); !errors.Is(err, want) {
				t.Fatalf("%v, want %v", err, want)
			}
		}
	}
	late := a.Seal(nil, nil)
	for range windowSize {
		packets[0] = a.Seal(packets[0][:0], nil)
	}
	if _, err := b.Open(packets[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open(late); !errors.Is(err, ErrReplayed) {
		t.Errorf("behind the window: %v", err)
	}
}

// The window takes each counter at most once, and every new one less than windowSize behind the newest.
func TestWindowAgainstAMap(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		var w window
		taken, newest := map[uint64]bool{0: true}, uint64(0)
		at := uint64(1)
		for range 2000 {
			switch random.IntN(50) {
			case 0:
				at += random.Uint64N(3 * windowSize)
			default:
				at += random.Uint64N(3)
			}
			c := at - min(at, random.Uint64N(2*windowSize))
			want := !taken[c] && (c > newest || newest-c < windowSize)
			if got := w.accept(c); got != want {
				t.Fatalf("counter %d, newest %d: got %v, want %v", c, newest, got, want)
			}
			if want {
				taken[c], newest = true, max(newest, c)
			}
		}
	}
}

// Whatever the network does and however often the ends restart, nothing is taken twice or from an earlier life of the
// receiver, and once it behaves, messages pass.
func TestEndsAgreeAfterAnything(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 5))
		w := newWorld(t)
		for range 400 {
			w.disturb(random)
		}
		w.settle()
	}
}

// world is two ends, and every datagram ever sent.
type world struct {
	t       *testing.T
	ends    [2]*Link
	session [2]words.Session
	flight  [2][][]byte // to end i
	count   byte
	taken   map[string]bool
	last    string
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, taken: map[string]bool{}}
	w.restart(0)
	w.restart(1)
	return w
}

func (w *world) restart(i int) {
	w.session[i]++
	w.ends[i] = link(w.t, words.Node("ab"[i:i+1]), words.Node("ba"[i:i+1]), w.session[i], uint64(w.session[i])<<8|uint64(i)+1)
	w.send(i, w.ends[i].Hello(nil))
}

func (w *world) send(from int, packet []byte) { w.flight[1-from] = append(w.flight[1-from], packet) }

// say sends a body that no other has.
func (w *world) say(from int) string {
	w.count++
	body := string(rune('a'+from)) + string(rune(len(w.taken))) + string(rune(w.count))
	w.send(from, w.ends[from].Seal(nil, []byte(body)))
	return body
}

func (w *world) disturb(random *rand.Rand) {
	i := random.IntN(2)
	switch n := random.IntN(100); {
	case n < 2:
		w.restart(i)
	case n < 40:
		w.say(i)
	case len(w.flight[i]) > 0:
		// Anything ever sent may arrive, any number of times.
		w.arrive(i, w.flight[i][len(w.flight[i])-1-min(len(w.flight[i])-1, int(random.ExpFloat64()*4))])
	}
}

func (w *world) arrive(at int, packet []byte) {
	r, err := w.ends[at].Open(packet)
	switch {
	case r.Resend != nil:
		w.send(at, w.ends[at].Seal(nil, r.Resend))
	case r.Hello:
		w.send(at, w.ends[at].Answer(nil, r))
	case err == nil && len(r.Body) > 0:
		key := string(r.Body)
		if w.taken[key] {
			w.t.Fatalf("%q was taken twice", key)
		}
		if r.Session != w.session[1-at] {
			// A datagram of an earlier session may be late, but never after a later one was heard.
			if w.ends[at].Heard() != r.Session {
				w.t.Fatalf("session %d was taken after %d", r.Session, w.ends[at].Heard())
			}
		}
		w.taken[key], w.last = true, key
	}
}

// settle lets the network deliver everything in order. The first message of each end may be for a session that is over;
// the second has to arrive.
func (w *world) settle() {
	w.flight = [2][][]byte{}
	for range 2 {
		for from := range 2 {
			w.say(from)
			w.deliver()
		}
	}
	for from := range 2 {
		body := w.say(from)
		if w.deliver(); w.last != body {
			w.t.Fatalf("%q never arrived", body)
		}
	}
}

func (w *world) deliver() {
	for range 10 {
		for at := range 2 {
			packets := w.flight[at]
			w.flight[at] = nil
			for _, p := range packets {
				w.arrive(at, p)
			}
		}
	}
	if len(w.flight[0])+len(w.flight[1]) != 0 {
		w.t.Fatal("the ends never stop talking")
	}
}

// Two hellos and an answer after a start, both ends know each other, whoever else restarts.
func TestGreetingMakesBothEndsKnown(t *testing.T) {
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		w := newWorld(t)
		w.deliver()
		for _, i := range order {
			w.restart(i)
			w.deliver()
			for from := range 2 {
				body := w.say(from)
				if w.arrive(1-from, w.flight[1-from][0]); w.last != body {
					t.Fatalf("%q was not taken at once", body)
				}
				w.flight = [2][][]byte{}
			}
		}
	}
}

func TestNamesAreBounded(t *testing.T) {
	for _, name := range []string{"", string(make([]byte, MaxName+1))} {
		if _, err := NewLink(secret, words.Node(name), "b", 1, 1); err == nil {
			t.Errorf("name of %d bytes was taken", len(name))
		}
		if _, err := NewLink(secret, "a", words.Node(name), 1, 1); err == nil {
			t.Errorf("name of %d bytes was taken", len(name))
		}
	}
	long := words.Node(bytes.Repeat([]byte("n"), MaxName))
	l := link(t, long, "b", 1, 1)
	if n := len(l.Seal(nil, make([]byte, l.Room()))); n != MaxDatagram {
		t.Errorf("a full datagram has %d bytes", n)
	}
}

func FuzzOpenDatagram(f *testing.F) {
	a := link(f, "a", "b", 1, 0xa1)
	f.Add(a.Hello(nil))
	f.Add(a.Seal(nil, AppendItem(nil, []byte("x"))))
	f.Fuzz(func(t *testing.T, packet []byte) {
		b := link(t, "b", "a", 1, 0xb1)
		if _, err := b.Open(packet); err == nil {
			t.Fatal("taken without the nonce")
		}
	})
}

func FuzzItems(f *testing.F) {
	f.Add(AppendItem(AppendItem(nil, []byte("one")), nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		items, err := Items(nil, body)
		if err != nil {
			if len(items) != 0 {
				t.Fatal("items beside an error")
			}
			return
		}
		var again []byte
		for _, item := range items {
			again = AppendItem(again, item)
		}
		if !bytes.Equal(again, body) {
			t.Fatalf("%x became %x", body, again)
		}
	})
}

func BenchmarkSealAndOpen(b *testing.B) {
	one, two := link(b, "a", "b", 1, 0xa1), link(b, "b", "a", 1, 0xb1)
	one.heard, one.heardNonce = 1, 0xb1
	body, packet := make([]byte, 200), make([]byte, 0, MaxDatagram)
	b.ReportAllocs()
	for b.Loop() {
		packet = one.Seal(packet[:0], body)
		if _, err := two.Open(packet); err != nil {
			b.Fatal(err)
		}
	}
}
