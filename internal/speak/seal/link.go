package seal

import (
	"encoding/binary"
	"errors"

	"redkeep/internal/words"
)

// What can be wrong with a datagram that claims to come from a peer.
var (
	// ErrForged is that of a datagram whose tag does not fit: another secret, another receiver, or changed bytes.
	ErrForged = errors.New("open datagram: the tag does not fit; is the secret the same on both nodes?")
	// ErrUnproven is that of a genuine datagram which does not echo this start's session and nonce. Either its sender has
	// not heard from this start yet, or it is a recording. The answer is a hello.
	ErrUnproven = errors.New("open datagram: its sender has not heard from this start of ours")
	// ErrOldSession is that of a datagram from a start of the peer before the newest that has proven itself.
	ErrOldSession = errors.New("open datagram: from an older session of its sender")
	// ErrTwin is that of a second live process with the peer's name and session: a copied state directory.
	ErrTwin = errors.New("open datagram: a second agent of the same name and session; " +
		"give each node a state directory of its own")
	// ErrReplayed is that of a datagram which was taken before, or is too old to tell.
	ErrReplayed = errors.New("open datagram: seen before")
)

// resendDepth is how many datagrams a Link keeps of those that it seals before it has heard from the peer.
const resendDepth = 8

// helloBody is the length of a hello's body: the counter of the datagram that it refuses (0: none), and the highest
// session of the receiver that has proven itself to the sender, with that session's nonce (0: none).
const helloBody = 24

// Link is one node's end of the datagrams between it and one peer: it seals what goes out and judges what comes in.
//
// Freshness rests on two random nonces, one for each start of each end. A datagram is taken only if it echoes the nonce
// of the receiver's present start: it was then made after that start, by a sender that has heard from it. So nothing
// that was recorded before a restart is ever taken after it, and within a start the counter lets each datagram in once.
// A datagram without the echo is answered by a hello that carries the nonce. What was said before anything was heard
// from the peer is then sent again, so that a start costs one round trip. What was said to an earlier session of the
// peer is not: it may mean something else to the new one, so its sender has to say it anew.
//
// A Link is not safe for concurrent use.
type Link struct {
	self, peer string
	out, in    *key

	session uint64
	nonce   uint64
	counter uint64
	sent    [resendDepth]kept

	heard      uint64 // the peer's newest proven session, 0 if none
	heardNonce uint64
	window     window
}

// kept is a datagram's body that may have to be sent again.
type kept struct {
	counter uint64
	body    []byte
}

// Receipt is what Open found in a datagram.
type Receipt struct {
	// Session is the sender's.
	Session words.Session
	// Body is the payload (see Items), sharing the packet's memory; nil in a hello.
	Body []byte
	// Resend is the body that the peer refused since it was sealed before the peer was heard, and that now should be
	// sealed again; nil if none.
	Resend []byte
	// Hello says that the peer has not heard from this start, so that an Answer is due.
	Hello bool
	// Outlived is a session of this very node that the peer has heard and that is later than the present one, or the
	// same in another process; 0 if none. The state directory has then been rolled back or copied.
	Outlived words.Session

	answer header
}

// NewLink returns the end of self towards peer. The secret is the one that all nodes share; session is this start's
// number, at least 1; nonce is drawn at random for this start and must not be 0. The error is that of a name which is
// empty or too long.
func NewLink(secret []byte, self, peer words.Node, session words.Session, nonce uint64) (*Link, error) {
	out, err := directionKey(secret, string(self), string(peer))
	if err != nil {
		return nil, err
	}
	in, err := directionKey(secret, string(peer), string(self))
	if err != nil {
		return nil, err
	}
	return &Link{
		self: string(self), peer: string(peer), out: out, in: in,
		session: uint64(session), nonce: nonce,
	}, nil
}

// Room returns how many bytes of body a datagram of this link can carry.
func (l *Link) Room() int { return MaxDatagram - datagramCost - len(l.self) }

// Heard returns the peer's newest proven session; 0 if it has not been heard in this start.
func (l *Link) Heard() words.Session { return words.Session(l.heard) }

// Seal appends the datagram that carries body, which must be no longer than Room.
func (l *Link) Seal(dst, body []byte) []byte {
	h := l.next(kindData)
	h.echoSession, h.echoNonce = l.heard, l.heardNonce
	if l.heard == 0 {
		slot := &l.sent[h.counter%resendDepth]
		slot.counter, slot.body = h.counter, append(slot.body[:0], body...)
	}
	return appendDatagram(dst, l.out, l.self, h, body)
}

// Hello appends a datagram that makes this start known to the peer before anything was heard.
func (l *Link) Hello(dst []byte) []byte {
	return l.hello(dst, header{session: l.heard, nonce: l.heardNonce})
}

// Answer appends the hello that is due when Open has returned r with Hello set.
func (l *Link) Answer(dst []byte, r Receipt) []byte { return l.hello(dst, r.answer) }

func (l *Link) hello(dst []byte, to header) []byte {
	var body [helloBody]byte
	binary.BigEndian.PutUint64(body[0:], to.counter)
	binary.BigEndian.PutUint64(body[8:], l.heard)
	binary.BigEndian.PutUint64(body[16:], l.heardNonce)
	h := l.next(kindHello)
	h.echoSession, h.echoNonce = to.session, to.nonce
	return appendDatagram(dst, l.out, l.self, h, body[:])
}

func (l *Link) next(kind byte) header {
	l.counter++
	return header{kind: kind, session: l.session, nonce: l.nonce, counter: l.counter}
}

// Open judges a datagram and takes it at most once. With ErrUnproven the receipt is good for Answer and nothing else; on
// any other error it is empty.
func (l *Link) Open(packet []byte) (Receipt, error) {
	name, err := Sender(packet)
	if err != nil {
		return Receipt{}, err
	}
	h, signed, body, tag := parseDatagram(packet)
	if string(name) != l.peer || !l.in.verify(0, signed, tag) {
		return Receipt{}, ErrForged
	}
	if h.echoNonce != l.nonce || h.echoSession != l.session {
		return Receipt{Hello: true, answer: h}, ErrUnproven
	}
	if err := l.admit(h); err != nil {
		return Receipt{}, err
	}
	switch {
	case h.kind == kindData:
		return Receipt{Session: words.Session(h.session), Body: body}, nil
	case h.kind == kindHello && len(body) == helloBody:
		return l.takeHello(h, body), nil
	default:
		return Receipt{}, errShape
	}
}

// admit decides whether a proven datagram belongs to the peer's present session and is new in it.
func (l *Link) admit(h header) error {
	switch {
	case h.session < l.heard || h.session == 0:
		return ErrOldSession
	case h.session == l.heard && h.nonce != l.heardNonce:
		return ErrTwin
	case h.session > l.heard:
		l.heard, l.heardNonce, l.window = h.session, h.nonce, window{}
	}
	if !l.window.accept(h.counter) {
		return ErrReplayed
	}
	return nil
}

// takeHello finds what the peer could not take, so that it can be sent again: once, since the peer has refused that
// counter for good, and under a new counter. A peer that has not heard from this start is answered; the answer shows
// that the peer was heard, so it is not answered in turn.
func (l *Link) takeHello(h header, body []byte) Receipt {
	r := Receipt{Session: words.Session(h.session)}
	refused := binary.BigEndian.Uint64(body[0:])
	known := binary.BigEndian.Uint64(body[8:])
	knownNonce := binary.BigEndian.Uint64(body[16:])
	if slot := &l.sent[refused%resendDepth]; refused != 0 && slot.counter == refused {
		r.Resend = slot.body
		*slot = kept{}
	}
	if known != l.session || knownNonce != l.nonce {
		r.Hello, r.answer = true, header{session: h.session, nonce: h.nonce}
	}
	if known > l.session || known == l.session && knownNonce != l.nonce {
		r.Outlived = words.Session(known)
	}
	return r
}
