package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// application is one program of testdata/clients: a library as its users have it, around one loop that writes numbers.
type application struct {
	name string
	// argv starts it, but for the group, the key and the addresses of the Sentinels.
	argv []string
	env  []string
	// lacking says what it needs and this machine has not; empty where it can run.
	lacking string
}

// prepare makes the six applications ready to run: one is built, two have their modules fetched, as their lock file says.
// What can't be made ready is told by the client's own subtest.
func prepare(t *testing.T) []application {
	t.Helper()
	dir := t.TempDir()
	source, err := filepath.Abs("testdata/clients")
	if err != nil {
		t.Fatal(err)
	}
	script := func(name string) string { return filepath.Join(source, name) }
	goredis := filepath.Join(dir, "goredis")
	modules := nodeModules(t, dir)
	node := func(name string) application {
		return application{name: name, argv: []string{"node", script("node/" + name + ".js")}, lacking: modules,
			env: []string{"NODE_PATH=" + filepath.Join(dir, "node_modules")}}
	}
	// Debian's own Python has Debian's packages; another may come first in PATH.
	const python = "/usr/bin/python3"
	return []application{
		{name: "go-redis", argv: []string{goredis}, lacking: lacks(t, "a Go toolchain with the modules of go.mod",
			"go", "build", "-o", goredis, "./testdata/clients/goredis")},
		{name: "redis-py", argv: []string{python, script("redispy.py")},
			lacking: lacks(t, "python3-redis", python, "-c", "import redis.sentinel")},
		{name: "phpredis", argv: []string{"php", script("phpredis.php")},
			lacking: lacks(t, "php-cli and php-redis", "php", "-r", `exit(class_exists("RedisSentinel") ? 0 : 1);`)},
		{name: "Predis", argv: []string{"php", script("predis.php")},
			lacking: lacks(t, "php-cli and php-nrk-predis", "php", "-r", `require "Predis/Autoloader.php";`)},
		node("redis"), node("ioredis"),
	}
}

// readyLimit bounds each step that makes a client ready; fetching modules is the longest.
const readyLimit = 2 * time.Minute

// lacks tries a command, and returns what is missing where it fails.
func lacks(t *testing.T, what, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), readyLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err == nil {
		return ""
	}
	said := strings.TrimSpace(string(out))
	return fmt.Sprintf("%s: %v %s", what, err, said[max(0, len(said)-300):])
}

// nodeModules fetches the modules of the lock file into a directory, by the machine's own npm and its settings.
func nodeModules(t *testing.T, dir string) (lacking string) {
	t.Helper()
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join("testdata/clients/node", name))
		if err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return lacks(t, "nodejs 18 or later, npm, and a registry to fetch modules from", "npm", "ci", "--prefix", dir,
		"--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund")
}
