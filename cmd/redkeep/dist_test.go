package main

import (
	"io/fs"
	"os"
	"testing"

	"redkeep/internal/speak/config"
)

// TestExampleIsGood checks the configuration that packages install, as `redkeep check` would on a host with its secret.
func TestExampleIsGood(t *testing.T) {
	const name = "../../dist/redkeep.yaml"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(name, 0o644, text, func(name string) ([]byte, fs.FileMode, error) {
		if name != "/etc/redkeep/secret" {
			t.Errorf("asks for %s", name)
		}
		return []byte("0123456789abcdef0123456789abcdef\n"), 0o600, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("warnings: %v", c.Warnings)
	}
}
