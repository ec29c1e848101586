package stage

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"redkeep/internal/stage/need"
)

// TestRunCleansUp ends a stage in each of the ways that Run knows.
func TestRunCleansUp(t *testing.T) {
	failed := errors.New("failed")
	for name, f := range map[string]func(context.Context, *Stage) error{
		"return": func(context.Context, *Stage) error { return failed },
		"panic":  func(context.Context, *Stage) error { panic(failed) },
		"signal": func(ctx context.Context, _ *Stage) error {
			must(t, unix.Kill(os.Getpid(), unix.SIGTERM))
			select {
			case <-ctx.Done():
				return failed
			case <-time.After(5 * time.Second):
				return errors.New("the signal does not end the context")
			}
		},
	} {
		parent := t.TempDir()
		var p *Process
		err := func() (err error) {
			defer func() {
				if r := recover(); r != nil {
					err = r.(error)
				}
			}()
			return Run(t.Context(), Options{Hosts: []string{"h1"}, Dir: parent}, func(ctx context.Context, s *Stage) error {
				var err error
				p, err = s.Host("h1").Start(Command{Path: "sleep", Args: []string{"300"}})
				must(t, err)
				return f(ctx, s)
			})
		}()
		var forbidden *Forbidden
		if errors.As(err, &forbidden) {
			need.Right(t, err)
		}
		if !errors.Is(err, failed) {
			t.Errorf("%s: the error is %v", name, err)
		}
		if !p.Ended() {
			t.Errorf("%s: process %d is left", name, p.Pid())
		}
		if left, _ := filepath.Glob(filepath.Join(parent, "*")); len(left) > 0 {
			t.Errorf("%s: files are left: %v", name, left)
		}
	}
}
