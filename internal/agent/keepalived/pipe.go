package keepalived

import (
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"

	"redkeep/internal/speak/keepalivedconf"
)

// pipe is a named pipe that is told of all changes, and perhaps the program that reads it.
type pipe struct {
	conf keepalivedconf.Fifo
	log  *slog.Logger
	fd   int
	made bool
	stop func()
}

// openPipes opens those that a configuration has, and closes those that it has no more. Without one of them the routers run all the same.
func (p *process) openPipes(c *keepalivedconf.Config) {
	var kept []*pipe
	find := func(path string) *pipe {
		for _, one := range p.pipes {
			if one.conf.Path == path {
				return one
			}
		}
		return nil
	}
	for _, conf := range []keepalivedconf.Fifo{c.Global.VRRPFifo, c.Global.Fifo} {
		if conf.Path == "" {
			continue
		}
		one := find(conf.Path)
		if one == nil {
			var err error
			if one, err = openPipe(conf); err != nil {
				p.log.Error("notify fifo", "err", err)
				continue
			}
			one.log = p.log
			p.readPipe(one, &c.Global)
		}
		kept = append(kept, one)
	}
	for _, one := range p.pipes {
		if found := c.Global.VRRPFifo.Path == one.conf.Path || c.Global.Fifo.Path == one.conf.Path; !found {
			one.close()
		}
	}
	p.pipes = kept
}

// openPipe opens a pipe for both ends, so that what is said before its reader comes waits there.
func openPipe(conf keepalivedconf.Fifo) (*pipe, error) {
	one := &pipe{conf: conf, stop: func() {}}
	err := unix.Mkfifo(conf.Path, 0o600)
	one.made = err == nil
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("make the fifo %s: %w", conf.Path, err)
	}
	fd, err := unix.Open(conf.Path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, fmt.Errorf("open the fifo %s: %w", conf.Path, err)
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil || stat.Mode&unix.S_IFMT != unix.S_IFIFO {
		return nil, errors.Join(fmt.Errorf("open the fifo %s: it is none; remove it", conf.Path), err, unix.Close(fd))
	}
	one.fd = fd
	return one, nil
}

// readPipe starts the program that reads a pipe, with the pipe's path behind its arguments. It ends with the pipe.
func (p *process) readPipe(one *pipe, g *keepalivedconf.Global) {
	if one.conf.Script == nil {
		return
	}
	c := as(g, *one.conf.Script)
	c.Args = append(append([]string(nil), c.Args...), one.conf.Path)
	ctx, stop := p.until()
	one.stop = stop
	p.work.Go(func() error {
		if err := execute(ctx, c); err != nil && ctx.Err() == nil {
			one.log.Warn("the fifo's program has ended", "path", c.Args[0], "err", err)
		}
		return nil
	})
}

// say writes a line. Where nobody reads for long, it is lost.
func (one *pipe) say(line string) {
	if _, err := unix.Write(one.fd, []byte(line)); err != nil {
		one.log.Warn("notify fifo: a line is lost", "path", one.conf.Path, "err", err)
	}
}

func (one *pipe) close() {
	one.stop()
	_ = unix.Close(one.fd)
	if one.made {
		_ = unix.Unlink(one.conf.Path)
	}
}
