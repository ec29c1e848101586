package sentinels

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"redkeep/internal/stage"
)

// Program is what runs as a Sentinel.
type Program struct {
	// Name tells programs apart in the names of tests.
	Name string
	// Path is the program, and Args what stands before the file among its arguments.
	Path string
	Args []string
}

// Real returns redis-sentinel: the server's own binary under the name that makes it a Sentinel, as the packages have it. The
// link is made in the stage's directory.
func Real(st *stage.Stage) (Program, error) {
	server, err := stage.FindRedis()
	if err != nil {
		return Program{}, err
	}
	name := "redis-sentinel"
	if strings.HasPrefix(filepath.Base(server), "valkey") {
		name = "valkey-sentinel"
	}
	link := filepath.Join(st.Dir(), name)
	if err := os.Symlink(server, link); err != nil && !errors.Is(err, os.ErrExist) {
		return Program{}, fmt.Errorf("make link to sentinel: %w", err)
	}
	return Program{Name: "real", Path: link}, nil
}

// Ours returns Redkeep's Sentinel, with the path of the binary.
func Ours(binary string) Program {
	return Program{Name: "ours", Path: binary, Args: []string{"sentinel"}}
}
