package replies

import (
	"os"
	"strings"
	"testing"
)

// intended are the requests that are answered otherwise than redis-sentinel answers them, each with the reason.
var intended = map[string]string{
	"CLIENT HELP": "the words are ours", "COMMAND HELP": "the words are ours", "ACL HELP": "the words are ours", "SENTINEL HELP": "the words are ours",
	"COMMAND DOCS": "the sentences are ours", "COMMAND DOCS sentinel|myid": "the sentence is ours",
}

// changes are questions that change something, after which others are answered otherwise.
var changes = []string{
	"SENTINEL MASTERS", "SENTINEL SET orders auth-pass x", "SENTINEL SET orders auth-pass \"\"", "SENTINEL SET orders notification-script x",
	"SENTINEL SET orders quorum 9", "SENTINEL CKQUORUM orders", "SENTINEL SET orders quorum 4", "SENTINEL CKQUORUM orders",
	"SENTINEL SET orders quorum 1 nosuch 1", "SENTINEL SET orders quorum 5 parallel-syncs 0", "SENTINEL MASTER orders",
	"SENTINEL SET orders rename-command a b", "SENTINEL SET orders rename-command a a", "SENTINEL SET orders rename-command a \"\"",
	"SENTINEL SET orders client-reconfig-script \"\"", "SENTINEL SET orders master-reboot-down-after-period 5",
	"SENTINEL CONFIG SET announce-ip 1.2.3.4", "SENTINEL CONFIG SET announce-port 5", "SENTINEL CONFIG SET sentinel-user u",
	"SENTINEL CONFIG SET sentinel-pass p", "SENTINEL CONFIG GET *", "SENTINEL CONFIG SET sentinel-pass \"\"", "SENTINEL CONFIG SET announce-ip \"\"",
	"SENTINEL CONFIG GET *", "SENTINEL DEBUG info-period 5000 nosuch 1", "SENTINEL DEBUG", "SENTINEL DEBUG info-period 99999999999999999999",
	"SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 $PORT 5 0123456789012345678901234567890123456789",
	"SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 $PORT 5 *",
	"SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 $PORT 3 1123456789012345678901234567890123456789",
	"SENTINEL IS-MASTER-DOWN-BY-ADDR nosuch $PORT 3 x", "SENTINEL MONITOR other ::1 1 1", "SENTINEL MONITOR other ::1 1 1",
	"SENTINEL GET-MASTER-ADDR-BY-NAME other", "SENTINEL REPLICAS other", "SENTINEL SENTINELS other", "SENTINEL REMOVE other", "SENTINEL REMOVE other", "ROLE",
	"ACL SETUSER u on >p +ping", "ACL LIST", "AUTH u x", "AUTH u p", "ROLE", "ACL WHOAMI", "AUTH default x", "ACL WHOAMI", "ACL DELUSER u", "ACL LIST",
	"SENTINEL FLUSHCONFIG", "SENTINEL RESET nosuch", "INFO sentinel", "INFO nosuch", "SHUTDOWN abort", "SHUTDOWN nosave save",
}

// TestRepliesAreThoseOfSentinel asks everything in both protocols.
func TestRepliesAreThoseOfSentinel(t *testing.T) {
	text, err := os.ReadFile("../../internal/show/sentinel/questions.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, questions := range map[string][]string{"asking": strings.Split(strings.TrimSpace(string(text)), "\n"), "changing": changes} {
		for _, protocol := range []string{"2", "3"} {
			t.Run(name+protocol, func(t *testing.T) {
				t.Parallel()
				real, ours := start(t, "redis-sentinel"), start(t, binary, "sentinel")
				real.ask(t, "HELLO "+protocol)
				ours.ask(t, "HELLO "+protocol)
				for _, q := range questions {
					compare(t, q, real, ours)
				}
			})
		}
	}
}

// compare asks both the same.
func compare(t *testing.T, question string, real, ours *sentinel) {
	t.Helper()
	if question == "HELLO 2" {
		return // it would turn a conversation in RESP3 into one in RESP2
	}
	want, got := real.ask(t, question), ours.ask(t, question)
	_, differs := intended[question]
	switch {
	case want == got && differs:
		t.Errorf("%s: no difference, though one is intended", question)
	case want != got && !differs:
		t.Errorf("%s:\n%s\nredis-sentinel:\n%s", question, got, want)
	}
}

// TestInfoHasTheFieldsOfSentinel compares names only, in their order. What a process can't tell is left out.
func TestInfoHasTheFieldsOfSentinel(t *testing.T) {
	t.Parallel()
	real, ours := start(t, "redis-sentinel"), start(t, binary, "sentinel")
	want, got := real.fields(t), ours.fields(t)
	left := want
	for _, name := range got {
		if name == "redkeep_version" {
			continue
		}
		for len(left) > 0 && left[0] != name {
			if !compiled[left[0]] {
				t.Errorf("INFO lacks %s", left[0])
			}
			left = left[1:]
		}
		if len(left) == 0 {
			t.Fatalf("INFO has %s, which is not in its place with redis-sentinel: %q", name, want)
		}
		left = left[1:]
	}
	if len(left) > 0 {
		t.Errorf("INFO lacks %q", left)
	}
}

// compiled are fields about how redis-sentinel was made.
var compiled = map[string]bool{"redis_git_sha1": true, "redis_git_dirty": true, "redis_build_id": true, "atomicvar_api": true, "gcc_version": true}
