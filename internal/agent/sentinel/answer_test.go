package sentinel

import (
	"strings"
	"testing"

	core "redkeep/internal/decide/sentinel"
	"redkeep/internal/speak/resp"
)

// parse reads one answer.
func parse(t *testing.T, text string) resp.Value {
	t.Helper()
	v, n, err := resp.ParseValue([]byte(text), answerLimits)
	if err != nil || n != len(text) {
		t.Fatalf("%q: %d bytes, %v", text, n, err)
	}
	return v
}

func TestPong(t *testing.T) {
	for text, want := range map[string]core.Pong{
		"+PONG\r\n":                     core.PongOK,
		"+PONGO\r\n":                    core.PongOK, // the beginning counts
		"+pong\r\n":                     core.PongOther,
		"$4\r\nPONG\r\n":                core.PongOther, // Redis answers with a simple string
		"-LOADING Redis is loading\r\n": core.PongLoading,
		"-MASTERDOWN Link with\r\n":     core.PongMasterDown,
		"-BUSY Redis is busy\r\n":       core.PongBusy,
		"-NOAUTH x\r\n":                 core.PongOther,
		":1\r\n":                        core.PongOther,
		"*0\r\n":                        core.PongOther,
		"$-1\r\n":                       core.PongOther,
		"+\r\n":                         core.PongOther,
	} {
		if got := pongOf(parse(t, text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestTold(t *testing.T) {
	leader := strings.Repeat("e", 40)
	good := "*3\r\n:1\r\n$40\r\n" + leader + "\r\n:7\r\n"
	if got, want := toldOf(3, 4, parse(t, good)), (core.Told{Link: 3, Instance: 4, Valid: true, Down: true, Leader: leader, Epoch: 7}); got != want {
		t.Errorf("%+v", got)
	}
	if got := toldOf(3, 4, parse(t, "*3\r\n:0\r\n$1\r\n*\r\n:0\r\n")); !got.Valid || got.Down || got.Leader != "*" {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{
		"-ERR x\r\n", "+OK\r\n", "*0\r\n", "*-1\r\n", "*2\r\n:1\r\n$1\r\n*\r\n", "*4\r\n:1\r\n$1\r\n*\r\n:0\r\n:0\r\n",
		"*3\r\n+1\r\n$1\r\n*\r\n:0\r\n", "*3\r\n:1\r\n:2\r\n:0\r\n", "*3\r\n:1\r\n$1\r\n*\r\n$1\r\n0\r\n",
	} {
		if got := toldOf(3, 4, parse(t, bad)); got != (core.Told{Link: 3, Instance: 4}) {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

func TestEvents(t *testing.T) {
	ok, refused := parse(t, "+OK\r\n"), parse(t, "-ERR no\r\n")
	for _, c := range []struct {
		q    question
		v    resp.Value
		want core.Event
	}{
		{question{askedPing, 0, 1}, parse(t, "+PONG\r\n"), core.Ponged{Link: 9}},
		{question{askedInfo, 5, 1}, refused, core.Informed{Link: 9, Instance: 5}},
		{question{askedInfo, 5, 1}, parse(t, "$-1\r\n"), core.Informed{Link: 9, Instance: 5}},
		{question{askedGreet, 5, 1}, parse(t, ":0\r\n"), core.Greeted{Link: 9, Instance: 5, OK: true}},
		{question{askedGreet, 5, 1}, refused, core.Greeted{Link: 9, Instance: 5}},
		{question{askedHandOver, 5, 1}, ok, core.HandedOver{Link: 9, Instance: 5}},
		{question{askedHandOver, 5, 1}, refused, core.HandedOver{Link: 9, Instance: 5, Refused: "ERR no"}},
		{question{askedOther, 0, 6}, refused, core.Done{Link: 9}},
	} {
		if got := eventOf(9, c.q, c.v); got != c.want {
			t.Errorf("%+v: %#v, want %#v", c.q, got, c.want)
		}
	}
}

func TestInfo(t *testing.T) {
	text := "role:master\r\nrun_id:abc\r\nslave0:ip=10.0.0.2,port=6380,state=online\r\nslave1:ip=redis-3,port=6379\r\n"
	n := infoOf(resp.Value{Kind: resp.Bulk, Text: text})
	if n == nil || !n.Master || n.Unclear || n.RunID != "abc" || n.Text != text || len(n.Replicas) != 2 {
		t.Fatalf("%+v", n)
	}
	if a, b := n.Replicas[0], n.Replicas[1]; a != core.At("10.0.0.2", 6380) || b.Host != "redis-3" || b.IP.IsValid() {
		t.Errorf("%+v", n.Replicas)
	}
	if n := infoOf(resp.Value{Kind: resp.Bulk, Text: "nonsense"}); n == nil || !n.Unclear || n.Master {
		t.Errorf("%+v", n)
	}
}

func TestHelloOf(t *testing.T) {
	h := helloOf("10.0.0.1,26379," + myID + ",3,orders,10.0.0.9,6379,2")
	if h == nil || h.Addr != core.At("10.0.0.1", 26379) || h.ID != myID || h.CurrentEpoch != 3 || h.Master != core.At("10.0.0.9", 6379) || h.ConfigEpoch != 2 {
		t.Errorf("%+v", h)
	}
	for _, bad := range []string{"", ",,,,,,,", "a,b,c,d,e,f,g,h", "10.0.0.1,26379,x,3,orders,10.0.0.9,6379,2,more", "10.0.0.1,99999999,x,3,orders,10.0.0.9,6379,2"} {
		if h := helloOf(bad); h != nil {
			t.Errorf("%q: %+v", bad, h)
		}
	}
}

// TestOrder is the transaction as the servers get it, with their names for the commands.
func TestOrder(t *testing.T) {
	names := core.OrderNames{Multi: "MULTI", SlaveOf: "so", Config: "CONFIG", Client: "CLIENT", Exec: "EXEC"}
	for to, want := range map[core.Address]string{
		core.At("10.0.0.2", 6380): "so 10.0.0.2 6380", {}: "so NO ONE",
	} {
		var got []string
		b := appendOrder(nil, core.Order{Master: to, Names: names})
		for len(b) > 0 {
			v, n, err := resp.ParseValue(b, answerLimits)
			if err != nil || n == 0 {
				t.Fatal(err)
			}
			var words []string
			for _, w := range v.Elems {
				words = append(words, w.Text)
			}
			got, b = append(got, strings.Join(words, " ")), b[n:]
		}
		all := "MULTI|" + want + "|CONFIG REWRITE|CLIENT KILL TYPE normal|CLIENT KILL TYPE pubsub|EXEC"
		if strings.Join(got, "|") != all || len(got) != core.OrderCommands {
			t.Errorf("%q, want %q", got, all)
		}
	}
}
