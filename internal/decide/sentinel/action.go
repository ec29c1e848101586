package sentinel

import "time"

// Action is something that the machine wants done. The set is closed, too, and the order of a Step's actions is the order
// of their effects.
type Action interface{ action() }

type (
	// Dial makes a connection, with the login of the link (see Login); commands may be sent on it before it stands. The answer is
	// Linked or Lost.
	Dial struct {
		Link    LinkID
		Channel Channel
		Addr    Address
		Login   Login
	}
	// HangUp closes a connection. Nothing comes from it any more.
	HangUp struct {
		Link    LinkID
		Channel Channel
	}

	// Ping asks whether the other lives. It, AskInfo, Greet, AskDown, Order and KillScript go by the link's Commands channel; Word is
	// what the server calls the command, in the cases where it may be renamed.
	Ping struct {
		Link LinkID
		Word string
	}
	// AskInfo asks a server how it is.
	AskInfo struct {
		Link     LinkID
		Instance InstanceID
		Word     string
	}
	// Greet publishes a hello. Hello.Addr is this Sentinel's as seen on that connection.
	Greet struct {
		Link     LinkID
		Instance InstanceID
		Word     string
		Hello    Hello
	}
	// AskDown asks another Sentinel whether it sees a master down, and with a RunID other than * for its vote in Epoch.
	AskDown struct {
		Link     LinkID
		Instance InstanceID
		Word     string
		Master   Address
		Epoch    uint64
		RunID    string
	}
	// Order makes a server a replica of Master, or a master where Master is zero: one transaction, which also has the server write
	// its file and drops its clients. Each of its OrderCommands is answered by a Done.
	Order struct {
		Link   LinkID
		Master Address
		// Names are the server's names of the commands that it consists of.
		Names OrderNames
	}
	// HandOver has a master end its own time: it holds back writes until the replica at To has all, and then follows that one; not
	// later than For, or it goes on as it was. The answer is a HandedOver.
	HandOver struct {
		Link     LinkID
		Instance InstanceID
		Word     string
		To       Address
		For      time.Duration
	}
	// KillScript ends a script that does not end by itself.
	KillScript struct {
		Link LinkID
		Word string
	}

	// Notice is a line of the log and, with a Channel, a message to those who have subscribed to it.
	Notice struct {
		Level            Level
		Channel, Payload string
	}
	// RunScript queues a script.
	RunScript struct {
		Path string
		Args []string
	}
	// Save writes Machine.State to the file, as it is when this is read. The answer is Saved; a later one's stands for all before.
	Save struct{ Ticket uint64 }
	// Reply answers a client's request.
	Reply struct {
		ID     uint64
		Answer Answer
	}
	// Crash ends the process with status 99, as SENTINEL SIMULATE-FAILURE wants.
	Crash struct{}
)

// OrderCommands is of how many commands an Order consists.
const OrderCommands = 6

// OrderNames are what a server calls the commands of an Order.
type OrderNames struct{ Multi, SlaveOf, Config, Client, Exec string }

// Login is how a link introduces itself. Auth is what the server calls that command, Client and the others likewise.
type Login struct {
	User, Password          string
	Auth, Client, Subscribe string
}

// Commands is how many commands introduce a connection; each is answered by a Done, whatever the answer.
func (l Login) Commands() int {
	if l.Password == "" {
		return 1
	}
	return 2
}

// Level is the weight of a Notice.
type Level byte

// The levels, by the characters of the log. Notices of the level debug are not published.
const (
	Debug   Level = '.'
	Verbose Level = '-'
	Normal  Level = '*'
	Warning Level = '#'
)

func (Dial) action()       {}
func (HangUp) action()     {}
func (Ping) action()       {}
func (AskInfo) action()    {}
func (Greet) action()      {}
func (AskDown) action()    {}
func (Order) action()      {}
func (HandOver) action()   {}
func (KillScript) action() {}
func (Notice) action()     {}
func (RunScript) action()  {}
func (Save) action()       {}
func (Reply) action()      {}
func (Crash) action()      {}
