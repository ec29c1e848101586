package sentinel

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"redkeep/internal/act/sentinelfile"
	face "redkeep/internal/show/sentinel"
	"redkeep/internal/speak/acl"
	"redkeep/internal/speak/logline"
)

// CheckUser looks at the rules of one user of the file of a Sentinel that has the commands of that release, and returns the place of the
// bad one with what is wrong with it.
func CheckUser(f face.Flavor, rules []string) (at int, err error) { return f.Rules().Trial(rules) }

// admit makes the users that the file, or the file of users, says may log in.
func (p *process) admit() error {
	p.users = acl.New(p.options.Flavor.Rules(), p.conf.NewUsersHaveAllChannels)
	for _, u := range p.conf.Users {
		if err := p.users.Declare(append([]string{"user", u.Name}, u.Rules...)); err != nil {
			return fmt.Errorf("read user %s: %w", u.Name, err)
		}
	}
	if p.conf.ACLFile != "" && p.users.Declared() > 0 {
		return errors.New("read the users: there is an aclfile, and users in the file too; have them in one of the two")
	}
	off, err := p.users.Adopt()
	if err != nil {
		return fmt.Errorf("read the users: %w", err)
	}
	for _, name := range off {
		p.log(logline.Notice, "The user '"+name+"' is disabled (there is no 'on' modifier in the user description). Make sure this is not a configuration error.")
	}
	if pass := p.conf.RequirePass.Reveal(); pass != "" {
		p.users.RequirePass(pass)
	}
	if p.conf.ACLFile == "" {
		return nil
	}
	text, err := os.ReadFile(p.conf.ACLFile)
	if err != nil {
		return fmt.Errorf("read the users: %w; make the file, or leave aclfile out", err)
	}
	if _, err := p.users.Load(p.conf.ACLFile, string(text)); err != nil {
		return fmt.Errorf("read the users of %s: %w", p.conf.ACLFile, err)
	}
	return nil
}

// renames are what clients of this Sentinel call its commands: of several lines about one the last counts.
func (p *process) renames() map[string]string {
	all := map[string]string{}
	for _, r := range p.conf.Renames {
		if now := strings.ToLower(r.Name); now != strings.ToLower(r.Command) {
			all[strings.ToLower(r.Command)] = now
		} else {
			delete(all, now)
		}
	}
	return all
}

// userLines are the users as the Sentinel's own file has them; with a file of users they are there.
func (p *process) userLines() []string {
	if p.conf.ACLFile != "" {
		return nil
	}
	lines := p.users.Lines()
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, "user ")
	}
	return lines
}

// userFile is the file of users, as ACL SAVE and LOAD reach it. It is small, but on a disk: so the goroutines, which end with it.
type userFile struct{ *process }

// Name is the file's path.
func (f userFile) Name() string { return f.conf.ACLFile }

// Read reads the whole file.
func (f userFile) Read(answer func(face.UserText)) {
	go func() {
		text, err := sentinelfile.Read(f.conf.ACLFile)
		f.loop.Tell(func() { answer(face.UserText{Text: string(text), Err: err}) })
	}()
}

// Write replaces it. A client that saves while another's save is being written has one writer with it: they wait for each other, and
// neither is told of a text that the other one has put in its place.
func (f userFile) Write(text string, answer func(error)) {
	f.accounts.Save(func([]byte) ([]byte, error) { return []byte(text), nil }, func(err error) {
		f.loop.Tell(func() { answer(err) })
	})
}
