package sentinelconf

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestArgumentsAsRedisSentinel holds the command line against redis-sentinel: each ends with what is refused, so that the banner
// shows what was made of the words, and how many lines that are.
func TestArgumentsAsRedisSentinel(t *testing.T) {
	needSentinel(t)
	dir := t.TempDir()
	conf := filepath.Join(dir, "sentinel.conf")
	const text = "port 0\n# x\nsentinel monitor m 127.0.0.1 1 2"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--port", "x"}, {"--port", "1", "2"}, {"--port x"}, {"--port 1 2"}, {"--port", "--loglevel", "x"}, {"--port", "1", "--zzz"},
		{"--sentinel", "monitor", "a", "127.0.0.1", "6379"}, {"--sentinel monitor a 127.0.0.1 6379 0"},
		{"--sentinel", "monitor", "a", "127.0.0.1", "6379", "2", "--sentinel", "down-after-milliseconds", "a", "0"},
		{"--sentinel", "--zzz", "5"}, {"--save", "--zzz", "5"}, {"--save", "", "--zzz", ""}, {"--SAVE", "--zzz"}, {"--save", "1", "2", "--zzz"},
		{"--save", "1", "x", "--zzz"}, {"--save 1", "--zzz"}, {"--loglevel", "verbose", "--zzz", "a b", "\"", "'", "\n", "\x01\xff"}, {"zzz", "5"}, {"--", "5"}, {"--sentinel", "zzz", "--zzz"},
		{"--sentinel", "auth-pass", "m", "--q", "--zzz"}, {"--bind", "127.0.0.1 -::1", "--zzz"}, {"--zzz"}, {"--zzz a"}, {"--port ", "x"},
		{"--unixsocket", "--zzz", "--zzz"}, {"--zzz", "--zzz"}, {"-zzz", "5"}, {"--logfile", "", "--zzz"}, {"--\"zzz", "5"}, {"--port", "1", "-", "--zzz"},
		{"--user", "default on >x", "--zzz"}, {"--port", "5", "--sentinel", "--", "zzz"},
	} {
		want := banner(t, dir, append([]string{conf}, args...)...)
		options, stdin := Arguments(args)
		_, err := Load(Source{File: []byte(text), Options: options, Dir: dir}, &here{dir})
		var refused *Refusal
		if !errors.As(err, &refused) || stdin {
			t.Errorf("%q: %v", args, err)
			continue
		}
		if got := refused.Banner(version); got != want {
			t.Errorf("%q: got %q, want %q", args, got, want)
		}
	}
}

// TestStandardInput is asked for by a lone dash at either end, and stands before the options.
func TestStandardInput(t *testing.T) {
	for _, args := range [][]string{{"-", "--port", "1"}, {"--port", "1", "-"}} {
		options, stdin := Arguments(args)
		conf, err := Load(Source{File: []byte("timeout 1\nport 3\n"), Stdin: []byte("port 2\ntimeout 2"), Options: options, Dir: "/"}, &here{"/"})
		if !stdin || err != nil || conf.Port != 1 || conf.Timeout.Seconds() != 2 {
			t.Errorf("%q: %v, %v, %+v", args, stdin, err, conf)
		}
	}
	if options, stdin := Arguments(nil); options != "" || stdin {
		t.Error("nothing was asked for")
	}
}

// TestIncludesAsRedisSentinel holds included files, and whose line is told, against redis-sentinel.
func TestIncludesAsRedisSentinel(t *testing.T) {
	needSentinel(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"sub/a.conf": "# a\nsentinel monitor a 127.0.0.1 1 2\nloglevel verbose", "sub/b.conf": "\ntimeout 5\nsentinel auth-pass nosuch x",
		"sub/bad": "\n\nport x", "here": "timeout 7\ninclude sub/a.conf\n", "monitor": "sentinel monitor a 127.0.0.1 1 2\nsentinel parallel-syncs b 1\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{
		"include sub/bad\nzzz", "include here\nzzz", "dir sub\ninclude bad", "include sub/*.conf\nzzz", "include sub/[z]\nsentinel zzz", "include monitor",
		"dir sub\ninclude a.conf\nsentinel zzz", "sentinel monitor a 127.0.0.1 1 2\ninclude monitor", "logfile /nonexistent/x\ninclude here",
	} {
		text = "port 0\n" + text
		conf := filepath.Join(dir, "sentinel.conf")
		if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		want := banner(t, dir, conf)
		_, err := Load(Source{File: []byte(text), Dir: dir}, &here{dir})
		var refused *Refusal
		if !errors.As(err, &refused) {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := strings.ReplaceAll(refused.Banner(version), "***'", "x'"); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestIncludesEnd tries a file that includes itself, and one that isn't there.
func TestIncludesEnd(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "self"), []byte("include self\ninclude self\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"self", "nosuch"} {
		_, err := Load(Source{File: []byte("include " + name), Dir: dir}, &here{dir})
		var refused *Refusal
		if err == nil || errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
