package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	dialect "github.com/lmsvault/vault/dialects/sqlite"

	"github.com/lmsvault/vault/core/keyrange"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Finish creates indexes and sequences and makes the file durable, still under its
// partial name.
func (s *Sink) Finish(ctx context.Context, _ *stage.Outcome) error { return s.explain(s.finish(ctx)) }

func (s *Sink) finish(ctx context.Context) error {
	if err := s.allThere(); err != nil {
		return err
	}
	path := s.config.Path + partial
	taken := map[string]bool{}
	for _, t := range s.order {
		taken[strings.ToLower(s.config.Prefix+t.Name)] = true
	}
	for _, t := range s.order {
		if err := s.indexes(ctx, t, taken); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := s.sequence(ctx, t); err != nil {
			return fmt.Errorf("%s: sequence of %s: %w", path, t.Name, err)
		}
	}
	for _, last := range []string{"PRAGMA application_id = " + strconv.Itoa(dialect.ApplicationID), "COMMIT"} {
		if err := s.conn.Exec(ctx, last); err != nil {
			return fmt.Errorf("%s: %s: %w", path, last, err)
		}
	}
	if err := s.close(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := syncPath(path); err != nil {
		return err
	}
	var err error
	s.complete, err = s.claim.look(path)
	return err
}

func (s *Sink) indexes(ctx context.Context, t *schema.Table, taken map[string]bool) error {
	full := s.config.Prefix + t.Name
	for i := range t.Indexes {
		if s.unbuilt[index{t.Name, t.Indexes[i].Name}] {
			continue
		}
		sql, err := dialect.CreateIndex(t, full, &t.Indexes[i], indexName(full, t.Indexes[i].Name, taken))
		if err != nil {
			return fmt.Errorf("index %s of %s: %w", t.Indexes[i].Name, t.Name, err)
		}
		done := stage.Step(ctx, fmt.Sprintf("building index %s of %s", t.Indexes[i].Name, t.Name))
		err = s.conn.Exec(ctx, sql)
		done()
		if err != nil {
			return fmt.Errorf("index %s of %s: %w", t.Indexes[i].Name, t.Name, err)
		}
	}
	return nil
}

// indexName returns an unused name for an index: SQLite's tables and indexes share
// one namespace.
func indexName(table, wanted string, taken map[string]bool) string {
	if wanted == "" || strings.HasPrefix(strings.ToLower(wanted), "sqlite_") {
		wanted = table + "_index"
	}
	name := wanted
	for n := 2; taken[strings.ToLower(name)]; n++ {
		name = wanted + "_" + strconv.Itoa(n)
	}
	taken[strings.ToLower(name)] = true
	return name
}

// sequence sets the value of the next row: the recorded one, or the one after the
// largest key if that is higher.
func (s *Sink) sequence(ctx context.Context, t *schema.Table) error {
	if !dialect.RowidKey(t) {
		return nil
	}
	name := dialect.Literal(s.config.Prefix + t.Name)
	last := strconv.FormatUint(min(max(t.Sequence.Next, 1)-1, math.MaxInt64), 10)
	if err := s.conn.Exec(ctx, "UPDATE sqlite_sequence SET seq = max(seq, "+last+") WHERE name = "+name); err != nil {
		return err
	}
	return s.conn.Exec(ctx, "INSERT INTO sqlite_sequence (name, seq) SELECT "+name+", "+last+" WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = "+name+")")
}

// Publish gives the file its final name, replacing an existing database.
func (s *Sink) Publish(ctx context.Context) error {
	if s.complete == nil {
		return errors.New("Publish without Finish")
	}
	if err := s.claim.unchanged(s.complete); err != nil {
		return err
	}
	// SQLite would apply a replaced database's journals to this one.
	if err := s.settle(ctx); err != nil {
		return err
	}
	if err := removeAll(s.config.Path+"-journal", s.config.Path+"-wal", s.config.Path+"-shm"); err != nil {
		return err
	}
	if err := os.Rename(s.config.Path+partial, s.config.Path); err != nil {
		return err
	}
	s.complete = nil
	if _, err := s.claim.look(s.config.Path); err != nil {
		return err
	}
	return syncPath(filepath.Dir(s.config.Path))
}

// settle applies the replaced database's journals to its file, so that the old file
// is complete without them until the new one gets its name.
func (s *Sink) settle(ctx context.Context) error {
	path := s.config.Path
	if !exists(path) || !exists(path+"-wal") && !exists(path+"-journal") {
		return nil
	}
	conn, err := dialect.Open(ctx, path, dialect.Create) // this rolls back what was not committed
	if err != nil {
		return err
	}
	state, err := conn.Query(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err == nil && (len(state) != 1 || fmt.Sprint(state[0][0]) != "0") {
		err = errors.New("another process is using it; stop that process and run again")
	}
	if err := errors.Join(err, conn.Close()); err != nil {
		return fmt.Errorf("the database that is replaced, %s: %w", path, err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Prove reads the finished file as a source would.
func (s *Sink) Prove(ctx context.Context) (proofs []stage.TableProof, err error) {
	if s.complete == nil {
		return nil, errors.New("Prove without Finish")
	}
	conn, err := dialect.Open(ctx, s.config.Path+partial, dialect.ReadOnly)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	found, err := conn.Inspect(ctx, s.config.Prefix)
	if err != nil {
		return nil, err
	}
	for i := range found.Tables {
		t := &found.Tables[i]
		proof := stage.TableProof{Schema: t.Table}
		done := stage.Step(ctx, "reading back "+t.Name)
		err := conn.Read(ctx, t, keyrange.Range{}, "", dialect.Receiver{
			Chunk: func(_ context.Context, data []byte, _ int) error { return proof.Sum.AddChunk(data) },
			Loss: func(_ context.Context, l stage.Loss) error {
				return fmt.Errorf("%s %s: %s", l.Path, l.Where, l.Reason)
			},
		})
		done()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.config.Path+partial, err)
		}
		proofs = append(proofs, proof)
	}
	return proofs, s.claim.unchanged(s.complete) // the file was read by name
}
