package sentinel

import (
	"bytes"
	"strconv"

	"redkeep/internal/act/script"
	queue "redkeep/internal/decide/script"
	core "redkeep/internal/decide/sentinel"
	"redkeep/internal/speak/hello"
	"redkeep/internal/speak/logline"
	"redkeep/internal/speak/resp"
	"redkeep/internal/speak/sentinelconf"
)

// act does one thing that the machine wants.
func (p *process) act(a core.Action) {
	switch a := a.(type) {
	case core.Dial:
		p.dial(a)
	case core.HangUp:
		p.hangUp(a)
	case core.Notice:
		p.tell(a)
	case core.RunScript:
		p.scripts.Add(append([]string{a.Path}, a.Args...)...)
	case core.Save:
		p.unsaved = a.Ticket // at the turn's end, with all that changes until then
	case core.Reply:
		if answer := p.answers[a.ID]; answer != nil {
			delete(p.answers, a.ID)
			answer(a.Answer)
		}
	case core.Crash:
		p.end(Crash{})
	default:
		p.send(a)
	}
}

// send encodes what goes by a link's command connection.
func (p *process) send(a core.Action) {
	b := p.wire[:0]
	switch a := a.(type) {
	case core.Ping:
		p.write(a.Link, resp.AppendCommand(b, a.Word), question{kind: askedPing})
	case core.AskInfo:
		p.write(a.Link, resp.AppendCommand(b, a.Word), question{askedInfo, a.Instance, 1})
	case core.Greet:
		p.said = appendHello(p.said[:0], a.Hello)
		b = resp.AppendBulk(resp.AppendBulk(resp.AppendArray(b, 3), a.Word), hello.Channel)
		p.write(a.Link, resp.AppendBulkBytes(b, p.said), question{askedGreet, a.Instance, 1})
	case core.AskDown:
		b = resp.AppendCommand(b, a.Word, "is-master-down-by-addr", a.Master.Host, strconv.Itoa(a.Master.Port), strconv.FormatUint(a.Epoch, 10), a.RunID)
		p.write(a.Link, b, question{askedDown, a.Instance, 1})
	case core.Order:
		p.write(a.Link, appendOrder(b, a), question{kind: askedOther, count: core.OrderCommands})
	case core.HandOver:
		b = resp.AppendCommand(b, a.Word, "TO", a.To.Host, strconv.Itoa(a.To.Port), "TIMEOUT", strconv.FormatInt(a.For.Milliseconds(), 10))
		p.write(a.Link, b, question{askedHandOver, a.Instance, 1})
	case core.KillScript:
		p.write(a.Link, resp.AppendCommand(b, a.Word, "KILL"), question{kind: askedOther, count: 1})
	}
}

// appendOrder prints the transaction that changes whom a server follows, has it write its file, and drops its clients, so
// that they ask again who is master.
func appendOrder(b []byte, o core.Order) []byte {
	host, port := "NO", "ONE"
	if o.Master.Port != 0 {
		host, port = o.Master.Host, strconv.Itoa(o.Master.Port)
	}
	b = resp.AppendCommand(b, o.Names.Multi)
	b = resp.AppendCommand(b, o.Names.SlaveOf, host, port)
	b = resp.AppendCommand(b, o.Names.Config, "REWRITE")
	b = resp.AppendCommand(b, o.Names.Client, "KILL", "TYPE", "normal")
	b = resp.AppendCommand(b, o.Names.Client, "KILL", "TYPE", "pubsub")
	return resp.AppendCommand(b, o.Names.Exec)
}

// appendHello prints a greeting.
func appendHello(b []byte, h core.Hello) []byte {
	said := hello.Hello{
		Host: h.Addr.Host, Port: h.Addr.Port, ID: h.ID, CurrentEpoch: h.CurrentEpoch,
		Group: h.Group, MasterHost: h.Master.Host, MasterPort: h.Master.Port, ConfigEpoch: h.ConfigEpoch,
	}
	return said.Append(b)
}

// tell writes a notice to the log and tells it to who has subscribed.
func (p *process) tell(n core.Notice) {
	text := n.Payload
	if n.Channel != "" {
		text = n.Channel + " " + n.Payload
	}
	p.log(levelOf(n.Level), text)
	if n.Channel != "" && n.Level != core.Debug {
		p.face.Publish(n.Channel, n.Payload)
	}
}

func levelOf(l core.Level) logline.Level {
	switch l {
	case core.Debug:
		return logline.Debug
	case core.Verbose:
		return logline.Verbose
	case core.Normal:
		return logline.Notice
	default:
		return logline.Warning
	}
}

// save writes the machine's state as it is now, if that is wanted and nothing is being written: to print a thousand groups for every
// one of a hundred that fail over at once would hold up the others.
func (p *process) save() {
	if p.unsaved == 0 || p.saving.Load() {
		return
	}
	ticket, state, settings, users := p.unsaved, p.stateNow(), p.conf.Settings, p.userLines()
	p.unsaved = 0
	p.saving.Store(true)
	p.file.Save(func(old []byte) ([]byte, error) {
		return p.layout.rewrite(old, state, settings, users), nil
	}, func(err error) {
		p.saving.Store(false)
		p.loop.Tell(func() {
			if err != nil {
				p.log(logline.Warning, "WARNING: Sentinel was not able to save the new configuration on disk!!!: "+err.Error())
			}
			p.step(core.Saved{Ticket: ticket, Failed: err != nil})
		})
	})
}

// layout is what stands where in the file that was written last. It belongs to the goroutine that writes.
type layout struct {
	*sentinelconf.Layout
	written []byte
}

// rewrite is sentinelconf's, without reading again what this process has written itself.
func (l *layout) rewrite(old []byte, s *sentinelconf.State, o *sentinelconf.Settings, users []string) []byte {
	if l.Layout == nil || !bytes.Equal(old, l.written) {
		l.Layout = sentinelconf.NewLayout(old)
	}
	l.written = l.Layout.Rewrite(s, o, users)
	return l.written
}

// runScripts does what the queue of scripts wants.
func (p *process) runScripts(all []queue.Action) {
	for _, a := range all {
		switch a := a.(type) {
		case queue.Start:
			p.hand.Start(uint64(a.ID), a.Argv)
		case queue.Kill:
			p.hand.Kill(uint64(a.ID))
		case queue.Tell:
			level := core.Warning
			if a.Debug {
				level = core.Debug
			}
			p.tell(core.Notice{Level: level, Channel: a.Channel, Payload: a.Payload})
		}
	}
}

// onScript is called from the goroutines of scripts.
func (p *process) onScript(r script.Report) {
	p.loop.Tell(func() {
		at, id := p.loop.Now(), queue.ID(r.ID)
		switch r.What {
		case script.Started:
			p.runScripts(p.scripts.Started(id, r.PID))
		case script.Unstarted:
			p.log(logline.Warning, "start script: "+r.Err.Error())
			p.runScripts(p.scripts.Unstarted(at, id))
		case script.Exited:
			p.runScripts(p.scripts.Exited(at, id, r.Signal, r.Code))
		}
	})
}
