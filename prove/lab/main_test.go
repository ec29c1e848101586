package lab

import (
	"fmt"
	"os"
	"testing"
)

// TestMain builds the program that is tested.
func TestMain(m *testing.M) {
	path, clean, err := build()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = path
	code := m.Run()
	clean()
	os.Exit(code)
}
