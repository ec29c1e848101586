package main

import (
	"errors"
	"fmt"
	"io"

	"redkeep/internal/speak/keepalivedconf"
	"redkeep/internal/speak/keepalivedconf/migration"
	sentinels "redkeep/internal/speak/sentinelconf/migration"
)

// ofKeepalived reports whether the files are keepalived's, which all or none must be. What can't be read is for the reader of
// either kind to tell.
func ofKeepalived(names []string) (bool, error) {
	n := 0
	for _, name := range names {
		if text, _, err := readUpTo(name, keepalivedconf.MaxFile); err == nil && keepalivedconf.Is(text) {
			n++
		}
	}
	if n > 0 && n < len(names) {
		return false, errors.New("read the configuration: some files are keepalived's and some are not; import one kind at a time")
	}
	return n > 0, nil
}

// keepalived does for the keepalived.conf of each host what run does for Sentinel's files.
func (i importing) keepalived(s streams, names []string, nodes []sentinels.Node) error {
	answers := migration.Answers{SecretFile: i.secretFile, Scripts: make(map[string][]byte)}
	for _, n := range nodes {
		answers.Nodes = append(answers.Nodes, migration.Node(n))
	}
	var configs []*keepalivedconf.Config
	var problems []keepalivedconf.Problem
	instances := 0
	for _, name := range names {
		text, _, err := readUpTo(name, keepalivedconf.MaxFile)
		if err != nil {
			return withCode(exitUsage, fmt.Errorf("read the configuration: %w", err))
		}
		c, err := keepalivedconf.Parse(name, text, includeFiles)
		if wrong := (keepalivedconf.Errors)(nil); errors.As(err, &wrong) {
			problems = append(problems, wrong...)
		}
		for _, v := range c.Instances {
			if len(v.VIPs) > 0 {
				instances++
			}
		}
		readNotified(c, answers.Scripts)
		configs = append(configs, c)
	}
	if instances == 0 {
		none := errors.New("read the configuration: no vrrp_instance with a virtual address is there; name a file that has one")
		if wrong := keepalivedconf.Errors(problems); len(wrong) > 0 {
			none = errors.Join(wrong, none)
		}
		return withCode(exitUsage, none)
	}
	made := sentinels.Result{}
	result := migration.Make(configs, answers)
	made.Text = result.Text
	for _, n := range result.Notes {
		made.Notes = append(made.Notes, sentinels.Note{File: n.File, Line: n.Line, Fate: sentinels.Fate(n.Fate), Text: n.Text})
	}
	if err := i.put(s, made); err != nil {
		return err
	}
	if err := mistaken(s.err, problems); err != nil {
		return err
	}
	return i.tell(s.err, made, nil)
}

// mistaken says what is wrong with the files, which does not keep them from being imported: their hosts go by them now.
func mistaken(w io.Writer, problems []keepalivedconf.Problem) error {
	for _, p := range problems {
		if _, err := fmt.Fprintf(w, "%s %s\n", paint(w, yellow, "mistaken:"), p); err != nil {
			return err
		}
	}
	return nil
}

// readNotified reads the programs that a configuration runs, as far as they are here: they serve as hints alone.
func readNotified(c *keepalivedconf.Config, into map[string][]byte) {
	read := func(command *keepalivedconf.Command) {
		if command == nil || len(command.Args) == 0 {
			return
		}
		if _, known := into[command.Args[0]]; known {
			return
		}
		if p, err := (thisHost{}).Program(command.Args[0]); err == nil {
			into[command.Args[0]] = p.Text
		}
	}
	for i := range c.Scripts {
		read(&c.Scripts[i].Command)
	}
	for _, v := range c.Instances {
		for _, command := range []*keepalivedconf.Command{v.Notify.Master, v.Notify.Backup, v.Notify.Fault, v.Notify.Stop, v.Notify.Any} {
			read(command)
		}
	}
}
