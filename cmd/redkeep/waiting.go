package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// quietFor is how long a command may say nothing before it says that it waits.
	quietFor = time.Second
	// repeatEvery is how often that is said again where it can't be overwritten, as in a log.
	repeatEvery = 10 * time.Second
)

// while runs f and says on w, once that takes longer than a second, what is being waited for and for how long.
func while(w io.Writer, what string, f func() error) error {
	ended, quiet := make(chan struct{}), make(chan struct{})
	go func() { // ends with f
		defer close(quiet)
		sayWaiting(w, what, ended)
	}()
	err := f()
	close(ended)
	<-quiet
	return err
}

// sayWaiting speaks until the end: on a terminal in one line that counts, elsewhere in few lines.
func sayWaiting(w io.Writer, what string, ended <-chan struct{}) {
	live := terminal(w)
	begun, pace := time.Now(), time.NewTicker(quietFor)
	defer pace.Stop()
	for said := time.Duration(0); ; {
		select {
		case <-ended:
			if live && said > 0 {
				_, _ = fmt.Fprint(w, "\r\x1b[K")
			}
			return
		case <-pace.C:
		}
		waited := time.Since(begun).Round(time.Second)
		switch {
		case live:
			_, _ = fmt.Fprintf(w, "\r\x1b[Kredkeep: %s (%v)", what, waited)
		case said == 0 || waited-said >= repeatEvery:
			_, _ = fmt.Fprintf(w, "redkeep: %s (%v)\n", what, waited)
		default:
			continue
		}
		said = waited
	}
}

// terminal reports whether somebody looks at w.
func terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}
