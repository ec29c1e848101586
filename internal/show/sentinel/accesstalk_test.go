package sentinel

// accessTalk is a conversation about users and their connections, for compareTalk.
const accessTalk = `
ACL SETUSER u on >pw +@all &*
b: AUTH u pw
c: AUTH u pw
c: CLIENT SETNAME cc
c: SUBSCRIBE x
d: CLIENT GETNAME
CLIENT LIST
CLIENT KILL USER nosuch
CLIENT KILL USER u TYPE pubsub
c: PING
b: PING
b: CLIENT KILL USER u
b: PING
b: CLIENT INFO
b: CLIENT KILL USER u SKIPME no
b: PING
d: PING
ACL SETUSER u -@all +client|list +sentinel|masters +subscribe +psubscribe +publish resetchannels &+switch-master &+s*
e: AUTH u pw
e: SENTINEL MASTER x
e: SENTINEL CKQUORUM x
e: CLIENT KILL USER u
e: CLIENT LIST TYPE pubsub
e: CLIENT nosuch
e: PUBLISH __sentinel__:hello x
e: PSUBSCRIBE *
e: PSUBSCRIBE +s*
e: PSUBSCRIBE +switch-master
e: SUBSCRIBE +sdown +switch-master
e: SUBSCRIBE +odown
e: SENTINEL MASTER x
e: PING
ACL SETUSER u resetchannels &+switch-master
e: PING
f: HELLO 3 AUTH u pw SETNAME me
f: SUBSCRIBE +switch-master
f: CLIENT LIST
ACL SETUSER u &+sdown
f: CLIENT LIST
ACL DELUSER u
f: CLIENT LIST
ACL SETUSER default >pw
g: PING
g: NOSUCH a
g: CLIENT NOSUCH
g: PING a b
g: CLIENT
g: SENTINEL
g: HELLO
g: HELLO 2
g: HELLO 9
g: HELLO x
g: HELLO 3 SETNAME "a b"
g: HELLO 3 SETNAME a
g: HELLO 3 AUTH default x
g: HELLO 3 AUTH default x FOO
g: HELLO 3 FOO AUTH default x
g: HELLO 3 AUTH default
g: HELLO 3 AUTH default x AUTH default pw
g: CLIENT GETNAME
h: AUTH default pw x
h: AUTH x
h: auth default y
h: SUBSCRIBE a
h: AUTH pw
h: SUBSCRIBE a
h: AUTH default x
h: PING
i: HELLO 3
ACL SETUSER default nopass
i: PING
i: HELLO 3
i: HELLO 3 AUTH default x
ACL LOG
ACL LOG 1
ACL LOG x
ACL LOG reset x
ACL log 1 2
ACL Cat a b
ACL genpass 1 2
ACL GENPASS x
ACL GENPASS 4097
ACL GENPASS 12
ACL SETUSER "a b" on
ACL SETUSER a (+ping
ACL SETUSER a foo
ACL SETUSER default -@dangerous
CLIENT LIST
ACL LIST
SENTINEL MASTERS
INFO
i: ACL LOG
ACL WHOAMI
`
