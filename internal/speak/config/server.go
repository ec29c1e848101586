package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"redkeep/internal/words"
)

// server reads a port alone, or a map with a port in it. It returns where the server's ports stand.
func (r *reader) server(into *Server, v value, of string) places {
	of = "redis of " + of
	if v.kind != kindMap {
		r.port(&into.Port, of).read(v)
		return places{port: v.place}
	}
	at := places{port: v.place}
	port, port0 := r.port(&into.Port, "port"), false
	seen := r.fields(v, of, []field{
		{"port", func(v value) {
			if at.port, port0 = v.place, v.text == "0"; !port0 {
				port.read(v)
			}
		}},
		{"tls", func(v value) { r.tls(&into.TLS, v, of, &at) }},
		{"address", func(v value) { r.where(into, v) }},
		{"user", func(v value) { into.User, _ = r.name(v, "user") }},
		r.inline(&into.Password, "password"),
		r.fromFile(&into.Password, "password_file"),
		{"rename", func(v value) { into.Rename = r.rename(v) }},
	})
	_, given := seen["port"]
	_, hasTLS := seen["tls"]
	switch {
	case hasTLS || port0:
		r.plainAndTLS(into, at, of, given && !port0)
	case !given:
		r.wrong(v.place, "add port: 6379", "%s has no port", of)
	}
	if userAt, given := seen["user"]; !r.one(seen, "password") && given {
		r.wrong(userAt, "add password or password_file", "%s has a user without a password", of)
	}
	return at
}

// where reads the address at which the agent reaches its own server. The file is the same on every node, so that an
// address of one of them would be wrong on the others.
func (r *reader) where(into *Server, v value) {
	const do = "leave it out for 127.0.0.1, or write node for each node's own address"
	text, ok := r.word(v, "address")
	if !ok {
		return
	}
	if text == "node" {
		into.OnNode = true
		return
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || !addr.Unmap().IsLoopback() || addr.Zone() != "" {
		r.wrong(v.place, do, "address must be on the loopback, where each agent finds its own server, not %q", shown(text))
		return
	}
	into.Loopback = addr.Unmap()
}

// renamable are the commands that agents send to servers.
var renamable = []string{"AUTH", "CLIENT", "COMMAND", "CONFIG", "INFO", "REPLICAOF", "SETRANGE", "SLAVEOF"}

// rename reads the commands that the server knows under other names.
func (r *reader) rename(v value) map[string]string {
	entries, ok := r.entries(v, "rename")
	if !ok {
		return nil
	}
	renamed := make(map[string]string, len(entries))
	for _, e := range entries {
		usual, good := r.name(e.key, "a command in rename")
		if !good {
			continue
		}
		usual = strings.ToUpper(usual)
		if !slices.Contains(renamable, usual) {
			do := "the commands that the agent uses are " + strings.Join(renamable, ", ")
			if near, ok := words.Nearest(usual, renamable); ok {
				do = fmt.Sprintf("did you mean %q?", near)
			}
			r.warn(e.key.place, do, "the agent uses no command %q, so that its rename changes nothing", shown(usual))
		}
		now, ok := r.word(e.value, "the new name of "+usual)
		if !ok {
			continue
		}
		if _, twice := renamed[usual]; twice {
			r.wrong(e.key.place, "keep one of them", "rename has %s twice", usual)
			continue
		}
		if now == "" || strings.ContainsFunc(now, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
			r.wrong(e.value.place, "write the name that the server's rename-command gave it", "the new name of %s is not a command's name", usual)
			continue
		}
		renamed[usual] = now
	}
	return renamed
}
