package store

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"redkeep/internal/act/lockfile"
	"redkeep/internal/words"
)

const (
	// MaxRecord is the length in bytes of the longest record of a group.
	MaxRecord     = groupSlotSize - slotHeader
	groupSlotSize = 16 << 10
	nodeSlotSize  = 64 << 10
)

// Store is an open state directory. Its methods may be called from any goroutine; those that write block until the
// disk has it.
type Store struct {
	dir    string
	lock   *lockfile.Lock
	bootID string

	// mu guards what follows, and the writing of the node's own record.
	mu     sync.Mutex
	node   *slotFile
	record nodeRecord
	groups map[words.Group]*groupFile
	closed bool

	histories map[words.Group]*historyFile
}

// nodeRecord is what the node file holds. It lists the groups that have a file, so that a file that was deleted is not
// mistaken for a group that never voted.
type nodeRecord struct {
	ID      words.StoreID `json:"id"`
	Session words.Session `json:"session"`
	Groups  []words.Group `json:"groups"`
}

// groupFile opens a group's file once; a group that waits for its disk keeps no other waiting.
type groupFile struct {
	mu   sync.Mutex
	file *slotFile
	err  error
}

// Open opens the state directory dir, which it creates with mode 0700 if it does not exist, and begins a new session:
// when it returns, the session's number is on disk. The error says what to do about it; it wraps ErrHeld if another
// agent has the directory open, and ErrUnreadable if the node's own record is damaged.
func Open(dir string) (*Store, error) {
	if err := prepareDirectory(dir); err != nil {
		return nil, err
	}
	lock, err := lockDirectory(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{
		dir: dir, lock: lock,
		groups: make(map[words.Group]*groupFile), histories: make(map[words.Group]*historyFile),
	}
	if err := s.begin(); err != nil {
		if s.node != nil {
			err = errors.Join(err, s.node.close())
		}
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

// prepareDirectory makes the directory, or checks that nobody else can change what is in it.
func prepareDirectory(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("create state directory: %w; choose another with --state-dir", err)
		}
		return syncDirectory(filepath.Dir(filepath.Clean(dir)))
	case err != nil:
		return fmt.Errorf("open state directory: %w", err)
	case !info.IsDir():
		return fmt.Errorf("open state directory %s: not a directory; choose another with --state-dir", dir)
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("open state directory %s: others may write to it (mode %04o); "+
			"choose a directory of its own, or run: chmod 700 %[1]s", dir, info.Mode().Perm())
	}
	return nil
}

// begin reads the node's record, or makes the first one, and puts the new session on disk.
func (s *Store) begin() error {
	bootID, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return fmt.Errorf("read the boot's ID: %w", err)
	}
	s.bootID = strings.TrimSpace(string(bootID))

	path := filepath.Join(s.dir, "node")
	s.node, err = openSlotFile(path, nodeSlotSize)
	if errors.Is(err, fs.ErrNotExist) {
		if err := createSlotFile(path, nodeSlotSize); err != nil {
			return err
		}
		s.node, err = openSlotFile(path, nodeSlotSize)
	}
	if err != nil {
		return fmt.Errorf("open state directory %s: %w; if the disk is well, move the directory away: "+
			"the agent then starts with an empty one and asks the others before it votes", s.dir, err)
	}
	s.record, err = readNode(s.node)
	if err != nil {
		return fmt.Errorf("open state directory %s: %w", s.dir, err)
	}
	s.record.Session++
	return s.saveNode()
}

// readNode returns the last session's record, or a new store's. A new store's sessions start at the seconds since 1970
// and not at 0: the peers refuse sessions below the highest that they have heard of, and a directory that was lost had
// started earlier than now and grown by one a start.
func readNode(node *slotFile) (nodeRecord, error) {
	raw, err := node.load()
	if errors.Is(err, ErrNone) {
		return nodeRecord{ID: words.StoreID(rand.Text()), Session: words.Session(max(time.Now().Unix(), 0))}, nil
	}
	if err != nil {
		return nodeRecord{}, err
	}
	var record nodeRecord
	if err := json.Unmarshal(raw, &record); err != nil {
		return nodeRecord{}, fmt.Errorf("read the node's record: %w", err)
	}
	return record, nil
}

func (s *Store) saveNode() error {
	raw, err := json.Marshal(s.record)
	if err != nil {
		return fmt.Errorf("write the node's record: %w", err)
	}
	return s.node.save(raw)
}

// ID returns the random name that this directory got when it was made.
func (s *Store) ID() words.StoreID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.record.ID
}

// Session returns this start's number.
func (s *Store) Session() words.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.record.Session
}

// BootID returns the kernel's name for the present boot of this host, 36 characters. What the kernel was told in an
// earlier session still stands if it is the same.
func (s *Store) BootID() string { return s.bootID }

// Outgrow makes the sessions of all later starts higher than past, which a peer has heard of: this directory was then
// rolled back or made anew by a clock that is behind. It takes effect at the next start.
func (s *Store) Outgrow(past words.Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if past <= s.record.Session {
		return nil
	}
	present := s.record.Session
	s.record.Session = past
	err := s.saveNode()
	s.record.Session = present
	return err
}

// Groups returns the groups that have a file, in order of their names.
func (s *Store) Groups() []words.Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.record.Groups)
}

// Load returns a group's record as last saved. The error is ErrNone if none ever was, and ErrUnreadable if it was and
// cannot be had back; the group's voter must then be readmitted before it votes.
func (s *Store) Load(group words.Group) ([]byte, error) {
	f, err := s.open(group, false)
	if err != nil {
		return nil, fmt.Errorf("load group %s: %w", group, err)
	}
	payload, err := f.load()
	if err != nil {
		return nil, fmt.Errorf("load group %s: %w", group, err)
	}
	return payload, nil
}

// Save replaces a group's record and returns when it is on disk. It creates the group's file if there is none. After an
// error other than ErrTooLong the old or the new record may be on disk, and every further Save of the group fails until
// the store is opened again. A group whose record is unreadable can't be saved either; see Discard.
func (s *Store) Save(group words.Group, record []byte) error {
	f, err := s.open(group, true)
	if err != nil {
		return fmt.Errorf("save group %s: %w", group, err)
	}
	if err := f.save(record); err != nil {
		return fmt.Errorf("save group %s: %w", group, err)
	}
	return nil
}

// Discard gives a group whose record is unreadable a new, empty file, once its voter has been readmitted by the others.
// The damaged file is kept beside it, with .damaged added to its name. A readable record is left alone.
func (s *Store) Discard(group words.Group) error {
	g, err := s.group(group)
	if err != nil {
		return fmt.Errorf("discard group %s: %w", group, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := s.openLocked(g, group, false); !errors.Is(err, ErrUnreadable) {
		return nil
	}
	path := s.path("group-", group)
	if err := os.Rename(path, path+".damaged"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("discard group %s: %w", group, err)
	}
	if err := createSlotFile(path, groupSlotSize); err != nil {
		return fmt.Errorf("discard group %s: %w", group, err)
	}
	g.err = nil
	return nil
}

// open returns the group's file, and creates it if there is none and it may.
func (s *Store) open(group words.Group, create bool) (*slotFile, error) {
	g, err := s.group(group)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := s.openLocked(g, group, create); err != nil {
		return nil, err
	}
	return g.file, nil
}

// group returns the place of the group's file, opened or not.
func (s *Store) group(group words.Group) (*groupFile, error) {
	if err := s.checkGroup(group); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fs.ErrClosed
	}
	g, ok := s.groups[group]
	if !ok {
		g = &groupFile{}
		s.groups[group] = g
	}
	return g, nil
}

// openLocked opens the file of g, whose lock the caller holds. An unreadable file stays so until Discard.
func (s *Store) openLocked(g *groupFile, group words.Group, create bool) error {
	if g.file != nil || g.err != nil {
		return g.err
	}
	file, err := openSlotFile(s.path("group-", group), groupSlotSize)
	if errors.Is(err, fs.ErrNotExist) {
		switch {
		case s.lists(group):
			g.err = fmt.Errorf("%w: its file was deleted", ErrUnreadable)
			return g.err
		case !create:
			return ErrNone
		}
		if err := createSlotFile(s.path("group-", group), groupSlotSize); err != nil {
			return err
		}
		file, err = openSlotFile(s.path("group-", group), groupSlotSize)
	}
	if err != nil {
		if errors.Is(err, ErrUnreadable) || errors.Is(err, ErrPoisoned) {
			g.err = err
		}
		return err
	}
	if err := s.list(group); err != nil {
		return errors.Join(err, file.close())
	}
	g.file = file
	return nil
}

func (s *Store) lists(group words.Group) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.record.Groups, group)
}

// list puts the group into the node's record before anything is saved for it.
func (s *Store) list(group words.Group) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fs.ErrClosed
	}
	at, found := slices.BinarySearch(s.record.Groups, group)
	if found {
		return nil
	}
	before := s.record.Groups
	s.record.Groups = slices.Insert(slices.Clone(before), at, group)
	if err := s.saveNode(); err != nil {
		s.record.Groups = before
		return err
	}
	return nil
}

// path returns the name of a group's file, in which nothing of the group's name can lead elsewhere.
func (s *Store) path(kind string, group words.Group) string {
	return filepath.Join(s.dir, kind+url.PathEscape(string(group)))
}

// checkGroup keeps file names below the 255 bytes that file systems allow.
func (s *Store) checkGroup(group words.Group) error {
	if group == "" || len(url.PathEscape(string(group))) > 200 {
		return fmt.Errorf("use group name %.40q: it is empty or too long", group)
	}
	return nil
}

// Close gives the directory back. What was saved is on disk already. It waits for saves that are under way.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	errs := []error{s.node.close()}
	groups := slices.Collect(maps.Values(s.groups))
	histories := slices.Collect(maps.Values(s.histories))
	s.mu.Unlock()

	// Without mu: whoever opens a group's file holds that group's lock and wants mu. None opens one any more.
	for _, g := range groups {
		g.mu.Lock()
		if g.file != nil {
			errs = append(errs, g.file.close())
		}
		g.mu.Unlock()
	}
	for _, h := range histories {
		h.mu.Lock()
		errs = append(errs, h.close())
		h.mu.Unlock()
	}
	return errors.Join(append(errs, s.lock.Close())...)
}
