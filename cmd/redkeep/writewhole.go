package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeWhole writes a file so that it is there with all of its text or not at all, and never readable by more than mode says.
// Without replace, one that exists stays, and the error is fs.ErrExist.
func writeWhole(name string, text []byte, mode fs.FileMode, replace bool) (err error) {
	draft, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	// After a rename there is no draft left to remove.
	defer func() { _ = os.Remove(draft.Name()) }()
	_, err = draft.Write(text)
	err = errors.Join(err, draft.Chmod(mode), draft.Sync(), draft.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if replace {
		err = os.Rename(draft.Name(), name)
	} else {
		err = os.Link(draft.Name(), name) // which, unlike a rename, refuses a name that exists
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
