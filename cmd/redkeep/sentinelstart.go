package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"redkeep/internal/act/logfile"
	"redkeep/internal/act/sentinelfile"
	"redkeep/internal/show/sentinel"
	"redkeep/internal/speak/logline"
	"redkeep/internal/speak/sentinelconf"
)

// sentinelMain is a Sentinel's process from the arguments after its name to its exit code.
func sentinelMain(ctx context.Context, p program, args []string, s streams, w sentinelLoop) code {
	p, args, err := p.ownFlags(args)
	if err != nil {
		_, _ = fmt.Fprintln(s.err, p.name+": "+err.Error())
		return exitFailed
	}
	if len(args) > 0 {
		switch args[0] {
		case "-v", "--version":
			p.printVersion(s.out)
			return exitDone
		case "-h", "--help":
			p.printUsage(s.err)
			return exitFailed // as redis-sentinel has it
		}
	}
	slacken()
	start := &sentinelStart{program: p, args: args, sentinelLoop: w, streams: s, parent: waitingParent()}
	if start.parent != nil {
		start.out, start.err = start.parent, start.parent
	}
	start.log, _ = logfile.Open(logfile.Options{Out: start.out, Least: logline.Notice}) // with no file nothing can fail
	c := start.begin(ctx)
	start.log.Flush(lastWords)
	return c
}

// sentinelStart is what a start finds out, in this order.
type sentinelStart struct {
	program
	sentinelLoop
	streams
	args []string
	// parent waits on the terminal until this process is ready; nil if there is none.
	parent *parent
	// cwd is where it started: the configuration may change the working directory.
	cwd   string
	path  string
	stdin []byte
	conf  *sentinelconf.Conf
	log   *logfile.Log
}

// begin reads, and then runs here or in a process of its own. The order is redis-sentinel's, which decides what is
// complained of where several things are wrong.
func (s *sentinelStart) begin(ctx context.Context) code {
	if c := s.read(); c != exitDone {
		return c
	}
	if err := s.openLog(); err != nil {
		return s.refuse("Can't open the log: %v", err)
	}
	if s.path == "" {
		return s.refuse("Sentinel needs config file on disk to save state. Exiting...")
	}
	if err := sentinelfile.Writable(s.path); err != nil && !s.observe {
		return s.refuse("Sentinel config file %s is not writable: %v. Exiting...", s.path, sentinelfile.Bare(err))
	}
	by := s.findSupervisor()
	background := s.conf.Daemonize && by == unsupervised
	if background && s.parent == nil {
		return s.detach()
	}
	return s.runHere(ctx, by, background)
}

// besides is how one that observes stays out of the way of the Sentinel whose file it reads.
var besides = []string{
	"--port", "0", "--tls-port", "0", "--daemonize", "no", "--supervised", "no", "--logfile", "", "--pidfile", "", "--syslog-enabled", "no",
}

// read reads the configuration as it will be: the file, standard input if asked for, the options.
func (s *sentinelStart) read() code {
	options, stdin := s.args, false
	if len(options) > 0 && !strings.HasPrefix(options[0], "-") {
		path, err := filepath.Abs(options[0])
		if err != nil {
			return s.refuse("Fatal error, can't find config file '%s': %v", options[0], sentinelfile.Bare(err))
		}
		s.path, options = path, options[1:]
	}
	src := sentinelconf.Source{}
	if s.observe {
		options = append(slices.Clone(besides), options...)
	}
	src.Options, stdin = sentinelconf.Arguments(options)
	var err error
	if s.cwd, err = os.Getwd(); err != nil {
		return s.refuse("Fatal error, the working directory is gone: %v", sentinelfile.Bare(err))
	}
	src.Dir = s.cwd
	if s.path != "" {
		if src.File, err = sentinelfile.Read(s.path); err != nil {
			return s.refuse("Fatal error, can't open config file '%s': %v", s.path, sentinelfile.Bare(err))
		}
	}
	if stdin {
		s.log.Write(logline.Warning, "Reading config from stdin")
		if s.stdin, err = sentinelfile.ReadFrom(s.in, "standard input"); err != nil {
			return s.refuse("Fatal error, can't read standard input: %v", sentinelfile.Bare(err))
		}
		src.Stdin = bytes.Clone(s.stdin)
	}
	if s.conf, err = sentinelconf.Load(src, machine{as: s.flavor, user: s.user}); err == nil {
		return exitDone
	}
	if refusal := (*sentinelconf.Refusal)(nil); errors.As(err, &refusal) {
		_, _ = io.WriteString(s.err, refusal.Banner(s.version))
		return exitFailed
	}
	return s.refuse("Fatal error, can't %v", err)
}

// openLog turns the log to where the configuration wants it. The file's name is made absolute, since it is opened again and again.
func (s *sentinelStart) openLog() error {
	least, _ := logline.ParseLevel(s.conf.LogLevel)
	o := logfile.Options{Path: s.conf.LogFile, Out: s.out, Least: least}
	if o.Path != "" {
		path, err := filepath.Abs(o.Path)
		if err != nil {
			return fmt.Errorf("find the log file: %w", err)
		}
		o.Path = path
	}
	if s.conf.SyslogEnabled {
		facility, _ := logfile.ParseFacility(s.conf.SyslogFacility)
		o.Syslog = &logfile.Syslog{Ident: s.conf.SyslogIdent, Facility: facility}
	}
	s.log.Flush(lastWords)
	log, err := logfile.Open(o)
	if err != nil {
		return err
	}
	s.log = log
	return nil
}

// refuse says in the log why there will be no Sentinel.
func (s *sentinelStart) refuse(format string, args ...any) code {
	s.write(logline.Warning, fmt.Sprintf(format, args...))
	return exitFailed
}

// write logs a line. A parent that waits is told what matters too, where the log is a file: it stands for the person at the terminal.
func (s *sentinelStart) write(level logline.Level, text string) {
	s.log.Write(level, text)
	if level == logline.Warning && s.parent != nil && s.log.Path != "" {
		s.parent.say(text)
	}
}

// machine is this host for the reading of a configuration.
type machine struct {
	sentinelfile.Host
	as   sentinel.Flavor
	user func(as sentinel.Flavor, rules []string) (at int, err error)
}

// User looks at one user's rules.
func (m machine) User(_ string, rules []string) (at int, err error) { return m.user(m.as, rules) }
