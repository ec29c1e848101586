package demo

import (
	"fmt"
	"os"
	"path/filepath"
)

// socketVariable names the socket for those who want another than the usual one.
const socketVariable = "REDKEEP_DEMO_SOCKET"

// Socket is where a demo that stays takes commands, and where they are sent: in the user's own runtime directory, or in
// one of that user's under the system's directory for temporary files. Before the program is run again in a user
// namespace, where the user has another number, it must be told to it: Tell does.
func Socket() string {
	if path := os.Getenv(socketVariable); path != "" {
		return path
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return filepath.Join(dir, "redkeep-demo", "socket")
		}
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("redkeep-demo-%d", os.Getuid()), "socket")
}

// Tell leaves the socket's path to the programs that this one starts.
func Tell(socket string) error {
	if err := os.Setenv(socketVariable, socket); err != nil {
		return fmt.Errorf("name the demo's socket: %w", err)
	}
	return nil
}
