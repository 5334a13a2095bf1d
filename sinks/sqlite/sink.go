package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	dialect "github.com/lmsvault/vault/dialects/sqlite"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Sink writes a database. Use New. Its units take turns on one connection, because
// SQLite has one writer.
type Sink struct {
	config   Config
	claim    *claim // from Begin to Close
	conn     *dialect.Conn
	tables   map[string]*schema.Table
	order    []*schema.Table
	unbuilt  map[index]bool // indexes that Check has counted as lost
	exposed  string         // the run that a file beside the database names, until Settle; "" for none
	complete fs.FileInfo    // the file's state after everything was written; nil before, and after Publish

	mu     sync.Mutex
	open   int                        // units neither committed nor aborted
	begun  map[string]map[string]bool // units by table and id
	broken string                     // the unit whose Abort left rows behind
}

type index struct{ table, name string }

// New returns a sink.
func New(config Config) *Sink { return &Sink{config: config} }

// Begin creates the file under its partial name, with all tables.
//
// It is loaded without a journal: an unfinished file is overwritten by the next run.
func (s *Sink) Begin(ctx context.Context, p *stage.Plan) error { return s.explain(s.begin(ctx, p)) }

func (s *Sink) begin(ctx context.Context, p *stage.Plan) error {
	path := s.config.Path + partial
	var err error
	if s.claim, err = claimNew(path); err != nil {
		return err
	}
	if err := removeAll(s.config.Path + publication); err != nil { // of a run that died
		return err
	}
	if _, err := s.file(ctx, p); err != nil { // once more, as another run may have ended since Check
		return errors.Join(err, removeAll(path))
	}
	if s.conn, err = dialect.Open(ctx, path, dialect.Create); err != nil {
		return err
	}
	for _, pragma := range []string{"page_size = 8192", "journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -16384"} {
		if _, err := s.conn.Query(ctx, "PRAGMA "+pragma); err != nil {
			return fmt.Errorf("%s: PRAGMA %s: %w", path, pragma, err)
		}
	}
	if err := s.conn.Exec(ctx, "BEGIN"); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	s.tables = make(map[string]*schema.Table, len(p.Tables))
	s.begun = map[string]map[string]bool{}
	for i := range p.Tables {
		t := &p.Tables[i].Schema
		create, err := dialect.CreateTable(t, s.config.Prefix+t.Name)
		if err != nil {
			return err
		}
		if err := s.conn.Exec(ctx, create); err != nil {
			return fmt.Errorf("%s: creating %s: %w", path, t.Name, err)
		}
		s.tables[t.Name] = t
		s.order = append(s.order, t)
	}
	return nil
}

// WriteRows begins a unit of rows of a table.
func (s *Sink) WriteRows(ctx context.Context, u stage.Unit) (stage.RowUnit, error) {
	t := s.tables[u.Table]
	if u.Part != stage.DB || t == nil {
		return nil, fmt.Errorf("unit %s: the plan has no such table", u.ID)
	}
	insert, err := s.conn.Inserter(ctx, t, s.config.Prefix+t.Name)
	if err != nil {
		return nil, fmt.Errorf("unit %s: %w", u.ID, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open++
	if s.begun[t.Name] == nil {
		s.begun[t.Name] = map[string]bool{}
	}
	s.begun[t.Name][u.ID] = true
	return &unit{sink: s, id: u.ID, table: t, insert: insert}, nil
}

// alone reports whether no other unit of the table was begun.
func (s *Sink) alone(table string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.begun[table]) == 1
}

// closed counts a unit as done; left says why some of its rows remain that should
// not.
func (s *Sink) closed(id, left string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if left != "" {
		s.broken = fmt.Sprintf("unit %s was aborted, but its rows cannot be removed: %s", id, left)
	}
}

// allThere returns an error unless all units are complete.
func (s *Sink) allThere() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.conn == nil:
		return errors.New("Finish without Begin")
	case s.open > 0:
		return fmt.Errorf("%d units are still open", s.open)
	case s.broken != "":
		return fmt.Errorf("%s; run it again from the start", s.broken)
	}
	return nil
}

// Abort removes the partial file. A complete one whose proof failed stays under its
// partial name for inspection.
func (s *Sink) Abort(ctx context.Context) error {
	if s.exposed != "" {
		done, err := s.Published(ctx, s.exposed)
		if done || err != nil {
			return err
		}
		if err := s.forget(); err != nil {
			return err
		}
	}
	if s.conn == nil {
		return nil
	}
	return errors.Join(s.close(), removeAll(s.config.Path+partial))
}

// Close closes the connection and lets others write the file.
func (s *Sink) Close(context.Context) error {
	err := errors.Join(s.close(), s.claim.release())
	s.claim = nil
	return err
}

func (s *Sink) close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}

// removeAll removes files that may be missing.
func removeAll(paths ...string) error {
	var failed error
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
