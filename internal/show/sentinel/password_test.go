package sentinel

import (
	"testing"

	"redkeep/internal/picture"
	"redkeep/internal/words"
)

// passwordTalk is a conversation with who wants a password of everybody, for compareTalk. ACL's changes are refused by a lease.
const passwordTalk = `
PING
NOSUCH
SENTINEL MASTERS
SENTINEL MASTER x
SUBSCRIBE x
ACL WHOAMI
COMMAND COUNT
CLIENT LIST
HELLO
HELLO 3
HELLO 9
HELLO 3 SETNAME x
AUTH
AUTH x
AUTH default x
AUTH nobody hunter2
AUTH a b c
HELLO 3 AUTH default x
PING
AUTH hunter2
PING
ACL WHOAMI
ACL USERS
ACL LIST
ACL GETUSER default
ACL LOG RESET
SENTINEL MASTER x
AUTH x
ACL WHOAMI
b: HELLO 3 AUTH default hunter2 SETNAME x
b: ACL WHOAMI
b: CLIENT GETNAME
b: ACL GETUSER default
b: RESET
b: PING
b: AUTH default hunter2
b: SUBSCRIBE x
c: QUIT
d: PING a b c d e f g h i j k
`

// TestAPasswordIsThatOfSentinel: a lease's clients log in as those of a redis-sentinel with requirepass.
func TestAPasswordIsThatOfSentinel(t *testing.T) {
	t.Parallel()
	_, f := NewLease(LeaseConfig{Picture: func() *picture.Node { return &picture.Node{} }, Password: words.NewSecret("hunter2")}, 0)
	compareTalk(t, startBare(t, "requirepass hunter2"), newTransport(t).serve(f), passwordTalk)
}
