package stage

import (
	"fmt"
	"io"
	"os"
	"time"
)

const (
	// logHalf is how much goes into a log file before it becomes NAME.log.1 and a new one is begun.
	logHalf = 4 << 20
	// lingering is how long a program's output is read after its end, while a child of it holds the pipe open.
	lingering = time.Second
)

// logFile keeps the newest part of what a program prints. The program writes into a pipe, so that it can't fill the disk.
type logFile struct {
	path string
	pipe *os.File // the program's end
	read *os.File
	tee  io.Writer
	file *os.File
	size int
	done chan struct{}
}

// openLog continues the file if it is there: a program that was restarted has one log.
func openLog(path string, tee io.Writer) (*logFile, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("open log: %w", err)
	}
	read, pipe, err := os.Pipe()
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("open log: %w", err)
	}
	return &logFile{path: path, pipe: pipe, read: read, tee: tee, file: file, size: int(size), done: make(chan struct{})}, nil
}

// abandon closes the log of a program that never started.
func (l *logFile) abandon() {
	l.pipe.Close()
	l.read.Close()
	l.file.Close()
}

// copy moves the output from the pipe to the file until its end.
func (l *logFile) copy() {
	defer close(l.done)
	// The program has its own copy of this end by now; the pipe ends when that one is closed.
	l.pipe.Close()
	defer func() { l.read.Close(); l.file.Close() }()
	buffer := make([]byte, 16<<10)
	for {
		n, err := l.read.Read(buffer)
		l.keep(buffer[:n])
		if err != nil {
			return
		}
	}
}

// keep writes to the file as long as it can. A full disk costs the log, and must not stop the program.
func (l *logFile) keep(output []byte) {
	if len(output) == 0 {
		return
	}
	if l.tee != nil {
		l.tee.Write(output)
	}
	if l.size >= logHalf {
		l.turn()
	}
	n, _ := l.file.Write(output)
	l.size += n
}

// turn sets the full file aside, in place of the one set aside before.
func (l *logFile) turn() {
	if os.Rename(l.path, l.path+".1") != nil {
		return
	}
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	l.file.Close()
	l.file, l.size = file, 0
}

// finish waits for the last of the output, but not for a child that keeps the pipe open.
func (l *logFile) finish() {
	l.read.SetReadDeadline(time.Now().Add(lingering))
	<-l.done
}
