package main

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"

	"redkeep/internal/speak/keepalivedconf"
)

// includeFiles reads what an include line of a keepalived.conf names, relative to the file that it stands in.
func includeFiles(from, pattern string) ([]keepalivedconf.Source, error) {
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(filepath.Dir(from), pattern)
	}
	names := []string{pattern}
	if strings.ContainsAny(pattern, "*?[") {
		var err error
		if names, err = filepath.Glob(pattern); err != nil {
			return nil, err
		}
	}
	var sources []keepalivedconf.Source
	for _, name := range names {
		text, _, err := readUpTo(name, keepalivedconf.MaxFile)
		if err != nil {
			return nil, cause(err)
		}
		sources = append(sources, keepalivedconf.Source{Name: name, Text: text})
	}
	return sources, nil
}

// cause is the system's own words for what went wrong with a file, whose name is told already.
func cause(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return path.Err
	}
	return err
}

// thisHost answers what a keepalived.conf is checked against.
type thisHost struct{}

// Interfaces lists the network interfaces with their addresses.
func (thisHost) Interfaces() map[string][]netip.Prefix {
	all := make(map[string][]netip.Prefix)
	interfaces, err := net.Interfaces()
	if err != nil {
		return all
	}
	for _, i := range interfaces {
		all[i.Name] = nil
		addrs, _ := i.Addrs() // one that has gone since has none
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				all[i.Name] = append(all[i.Name], p)
			}
		}
	}
	return all
}

// Program looks at a file that is to be run, and at its beginning.
func (thisHost) Program(name string) (keepalivedconf.Program, error) {
	if !strings.Contains(name, "/") {
		found, err := exec.LookPath(name)
		if err != nil {
			return keepalivedconf.Program{}, errors.New("no such program in PATH")
		}
		name = found
	}
	if !filepath.IsAbs(name) {
		return keepalivedconf.Program{}, errors.New("the path must be absolute")
	}
	info, err := os.Stat(name)
	if err != nil {
		return keepalivedconf.Program{}, cause(err)
	}
	p := keepalivedconf.Program{Path: name, Mode: info.Mode(), Unsafe: changeable(name)}
	if info.Mode().IsRegular() {
		p.Text = beginning(name)
	}
	return p, nil
}

// beginning reads as much of a file as tells how it is started and whether it sleeps.
func beginning(name string) []byte {
	const most = 64 << 10
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	text, _ := io.ReadAll(io.LimitReader(file, most)) // what can't be read isn't judged
	return text
}

// changeable returns the file or the directory above it that somebody but root could change, "" for none. In a directory with
// the sticky bit only a file's owner can.
func changeable(name string) string {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	for path := name; ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		if err != nil {
			return path
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		sticky := info.IsDir() && info.Mode()&fs.ModeSticky != 0
		if !ok || stat.Uid != 0 || info.Mode().Perm()&0o002 != 0 && !sticky || info.Mode().Perm()&0o020 != 0 && stat.Gid != 0 && !sticky {
			return path
		}
		if path == filepath.Dir(path) {
			return ""
		}
	}
}

// User reports whether there is one of that name or number.
func (thisHost) User(name string) bool {
	_, err := user.Lookup(name)
	if err != nil {
		_, err = user.LookupId(name)
	}
	return err == nil
}

// Group reports whether there is one of that name or number.
func (thisHost) Group(name string) bool {
	_, err := user.LookupGroup(name)
	if err != nil {
		_, err = user.LookupGroupId(name)
	}
	return err == nil
}
