package repository_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/transforms/compress"
	"github.com/lmsvault/vault/transforms/encrypt"
)

// site is a small site with tables in several units, files, a directory and a symlink.
type site struct {
	tables map[string][][]string // units of rows
	files  map[string][]byte
	prints bool // whether files have fingerprints
	owner  stage.Owner

	pipeline string            // "" for nightly
	facts    map[string]string // facts that the source reports
	signs    manifest.SigningKey
	tags     []string
}

// noise returns incompressible content. It is cached, so callers must not change it.
func noise(seed byte, n int) []byte {
	key := [2]int{int(seed), n}
	if b, ok := noises.Load(key); ok {
		return b.([]byte)
	}
	b := make([]byte, n+8)
	rng := rand.NewChaCha8([32]byte{seed})
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], rng.Uint64())
	}
	noises.Store(key, b[:n:n])
	return b[:n:n]
}

var noises sync.Map

var theLatest = repository.Choice{Snapshot: repository.Latest}

const secretName = "geheimnis" // part of a table name and a file name; must not appear in the storage

func sampleSite() *site {
	s := &site{tables: map[string][][]string{}, files: map[string][]byte{}, prints: true}
	for unit := range 3 {
		var part []string
		for i := range 2000 {
			part = append(part, fmt.Sprintf("%d\tuser %d\tsome text that compresses\t\\N", unit*2000+i, i*7))
		}
		s.tables["log"] = append(s.tables["log"], part)
	}
	s.tables[secretName+"_table"] = [][]string{{"1\tx\ty\tz"}}
	s.tables["empty"] = [][]string{nil}
	for i := range 60 {
		s.files[fmt.Sprintf("dataroot/small/%02d", i)] = noise(byte(i), 100+i*97)
	}
	s.files["dataroot/"+secretName+".txt"] = []byte("the content of a file with a name")
	s.files["dataroot/zero"] = nil
	s.files["dataroot/bytes-\xff\xfe\n\""] = []byte("a name that is not UTF-8")
	s.files["dataroot/medium"] = noise(200, rows.MinChunk+5)
	s.files["dataroot/large"] = noise(201, rows.MaxChunk+rows.MaxChunk/2)
	return s
}

func (s *site) clone() *site {
	return &site{tables: maps.Clone(s.tables), files: maps.Clone(s.files), prints: s.prints, owner: s.owner}
}

func (s *site) plan() *stage.Plan {
	p := &stage.Plan{Pipeline: cmp.Or(s.pipeline, "nightly"), Facts: s.facts, Parts: []string{stage.DB, stage.Dataroot}, Workers: 4}
	for _, name := range slices.Sorted(maps.Keys(s.tables)) {
		p.Tables = append(p.Tables, stage.TableInfo{Schema: schema.Table{
			Name: name, PrimaryKey: []string{"id"}, Sequence: &schema.Sequence{Column: "id", Next: 7},
			Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}}, {Name: "a", Type: schema.Type{Kind: schema.Text}},
				{Name: "b", Type: schema.Type{Kind: schema.Text}}, {Name: "c", Type: schema.Type{Kind: schema.Text}, Nullable: true}},
		}})
	}
	return p
}

func (s *site) units() []stage.Unit {
	var units []stage.Unit
	for name, parts := range s.tables {
		for i := range parts {
			units = append(units, stage.Unit{ID: fmt.Sprintf("db/%s#%d", name, i), Part: stage.DB, Table: name, Spec: fmt.Sprint(i)})
		}
	}
	return append(units, stage.Unit{ID: "dataroot/all", Part: stage.Dataroot})
}

// readFiles writes the unit of files, like a source.
func (s *site) readFiles(ctx context.Context, known stage.Baseline, w stage.FileWriter) error {
	if err := entry(ctx, w, stage.Entry{Path: "dataroot/dir", Kind: stage.Dir, Mode: 0o2770, ModTime: modTime, Owner: s.owner}); err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(s.files)) {
		content := s.files[path]
		hash := sha256.Sum256(content)
		e := stage.Entry{Path: path, Kind: stage.File, Size: int64(len(content)), Mode: 0o640, ModTime: modTime, Owner: s.owner}
		if s.prints {
			e.Fingerprint = fmt.Sprintf("%x", hash[:4])
		}
		if e.Fingerprint != "" && known[path] == e.Fingerprint {
			if err := w.Same(ctx, e); err != nil {
				return err
			}
			continue
		}
		if err := w.Open(ctx, e); err != nil {
			return err
		}
		for piece := range slices.Chunk(content, rows.MaxChunk) {
			if err := w.Write(ctx, piece); err != nil {
				return err
			}
		}
		if err := w.Close(ctx, stage.Digest{Bytes: int64(len(content)), SHA256: hex.EncodeToString(hash[:])}); err != nil {
			return err
		}
	}
	return entry(ctx, w, stage.Entry{Path: "dataroot/link", Kind: stage.Symlink, Target: "dir/\xff", Owner: s.owner})
}

var modTime = time.Unix(1700000000, 123456789).UTC()

func entry(ctx context.Context, w stage.FileWriter, e stage.Entry) error {
	if err := w.Open(ctx, e); err != nil {
		return err
	}
	return w.Close(ctx, stage.Digest{})
}

// readRows writes a unit of a table, like a source.
func (s *site) readRows(ctx context.Context, u stage.Unit, w stage.RowWriter) error {
	var i int
	if _, err := fmt.Sscan(u.Spec, &i); err != nil {
		return err
	}
	b := rows.NewBuilder(func(ctx context.Context, data []byte, n int) error {
		return w.Write(ctx, stage.Chunk{Data: data, Rows: n})
	})
	for _, row := range s.tables[u.Table][i] {
		b.Buf = append(b.Buf, row...)
		key, _, _ := strings.Cut(row, "\t")
		if err := b.End(ctx, []byte(key)); err != nil {
			return err
		}
	}
	return b.Flush(ctx)
}

// seals returns the transforms that tests use.
func seals(t testing.TB, passphrase string) []keyring.Transform {
	t.Helper()
	list := []keyring.Transform{{Name: "compress", Bytes: makeBytes(t, compress.Stage(), &compress.Config{Codec: "zstd"})}}
	if passphrase != "" {
		list = append(list, keyring.Transform{Name: "encrypt", Bytes: makeBytes(t, encrypt.Stage(), &encrypt.Config{Passphrase: config.NewSecret(passphrase), WorkFactor: 4})})
	}
	return list
}

func makeBytes(t testing.TB, s stage.Stage, cfg any) stage.ByteTransform {
	t.Helper()
	b, err := s.NewBytes(context.Background(), cfg, stage.Env{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func chain(t testing.TB, passphrase string) repository.Chain {
	return repository.Chain{Secret: passphrase != "", Transform: func(_ context.Context, name string) (stage.ByteTransform, error) {
		for _, s := range seals(t, passphrase) {
			if s.Name == name {
				return s.Bytes, nil
			}
		}
		return nil, fmt.Errorf("no transform %s", name)
	}}
}

// backup writes the site to a sink, like the engine.
func backup(ctx context.Context, s *site, storage stage.Storage, transforms []keyring.Transform) (_ repository.Summary, err error) {
	sink := repository.NewSink(storage, repository.SinkConfig{Transforms: transforms, Create: true, SigningKey: s.signs, Tags: s.tags})
	defer func() {
		if err != nil {
			if abort := sink.Abort(context.WithoutCancel(ctx)); abort != nil {
				err = fmt.Errorf("%w; and %w", err, abort)
			}
		}
		if closing := sink.Close(context.WithoutCancel(ctx)); closing != nil && err == nil {
			err = closing
		}
	}()
	plan := s.plan()
	if _, err := sink.Check(ctx, plan); err != nil {
		return repository.Summary{}, err
	}
	if err := sink.Begin(ctx, plan); err != nil {
		return repository.Summary{}, err
	}
	if err := units(ctx, s, sink); err != nil {
		return repository.Summary{}, err
	}
	facts := map[string]string{"engine": "memory"}
	maps.Copy(facts, s.facts)
	outcome := &stage.Outcome{Facts: facts,
		Losses: []stage.Loss{{Kind: stage.LossMissing, Path: "filedir/aa/bb/aabb", Reason: "nobody has it", Count: 1}}}
	if err := sink.Finish(ctx, outcome); err != nil {
		return repository.Summary{}, err
	}
	if _, err := sink.Prove(ctx); err != nil {
		return repository.Summary{}, err
	}
	return sink.Summary(), nil
}

// units writes all units concurrently.
func units(ctx context.Context, s *site, sink *repository.Sink) error {
	errs := make(chan error)
	all := s.units()
	for _, u := range all {
		go func() {
			errs <- s.carry(ctx, sink, u)
		}()
	}
	var first error
	for range all {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// carry writes a unit to a sink.
func (s *site) carry(ctx context.Context, sink *repository.Sink, u stage.Unit) error {
	if u.Part == stage.DB {
		w, err := sink.WriteRows(ctx, u)
		if err != nil {
			return err
		}
		if err := s.readRows(ctx, u, w); err != nil {
			return err
		}
		return commit(ctx, w)
	}
	known, err := sink.Baseline(ctx, u)
	if err != nil {
		return err
	}
	w, err := sink.WriteFiles(ctx, u)
	if err != nil {
		return err
	}
	if err := s.readFiles(ctx, known, w); err != nil {
		return err
	}
	return commit(ctx, w)
}

// commit commits a unit and ignores the receipt.
func commit(ctx context.Context, u stage.Ending) error {
	_, err := u.Commit(ctx)
	return err
}

func mustBackup(t testing.TB, s *site, storage stage.Storage, passphrase string) repository.Summary {
	t.Helper()
	sum, err := backup(t.Context(), s, storage, seals(t, passphrase))
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// restored holds what was read from a source.
type restored struct {
	entries map[string]stage.Entry
	files   map[string][]byte
	tables  map[string][]string // rows, sorted
	losses  []stage.Loss
	lacks   []stage.Loss // losses of the backup
	notes   []stage.Note
	proofs  map[string]rows.Sum
}

type taker struct {
	*restored
	open stage.Entry
	data []byte
}

func restore(t testing.TB, storage stage.Storage, want, passphrase string) *restored {
	t.Helper()
	src := repository.NewSource(storage, repository.Choice{Snapshot: want}, chain(t, passphrase))
	inv, err := src.Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	r := &restored{entries: map[string]stage.Entry{}, files: map[string][]byte{}, tables: map[string][]string{}, lacks: inv.Recorded, notes: inv.Notes, proofs: map[string]rows.Sum{}}
	for _, info := range inv.Tables {
		r.proofs[info.Schema.Name] = *info.Proof
		r.tables[info.Schema.Name] = nil
	}
	for _, u := range inv.Units {
		if u.Part == stage.DB {
			err = src.ReadRows(t.Context(), stage.ReadRequest{Unit: u}, rowTaker{r, u.Table})
		} else {
			err = src.ReadFiles(t.Context(), stage.ReadRequest{Unit: u}, &taker{restored: r})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, list := range r.tables {
		slices.Sort(list)
	}
	if err := src.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

func (w *taker) Open(_ context.Context, e stage.Entry) error {
	w.open, w.data = e, []byte{}
	return nil
}
func (w *taker) Write(_ context.Context, data []byte) error {
	w.data = append(w.data, data...)
	return nil
}
func (w *taker) Close(_ context.Context, d stage.Digest) error {
	w.entries[w.open.Path] = w.open
	switch w.open.Kind {
	case stage.File:
		if d.Bytes != int64(len(w.data)) {
			return fmt.Errorf("%s: digest of %d bytes, content of %d", w.open.Path, d.Bytes, len(w.data))
		}
		w.files[w.open.Path] = w.data
	}
	return nil
}
func (w *taker) Same(context.Context, stage.Entry) error {
	return fmt.Errorf("Same was called without a baseline")
}
func (w *taker) Drop(context.Context) error { return nil }
func (w *taker) Loss(_ context.Context, l stage.Loss) error {
	w.losses = append(w.losses, l)
	return nil
}

// sameAs fails the test unless the restored content equals that of the site.
func (r *restored) sameAs(t testing.TB, s *site) {
	t.Helper()
	if len(r.losses) > 0 {
		t.Errorf("losses: %v", r.losses)
	}
	if len(r.files) != len(s.files) {
		t.Errorf("%d files were restored, want %d", len(r.files), len(s.files))
	}
	for path, content := range s.files {
		if got, ok := r.files[path]; !ok || !bytes.Equal(got, content) {
			t.Errorf("%q was restored with %d bytes, want %d (%v)", path, len(got), len(content), ok)
		}
		if e := r.entries[path]; e.Mode != 0o640 || !e.ModTime.Equal(modTime) || e.Size != int64(len(content)) {
			t.Errorf("%q was restored as %+v", path, e)
		}
	}
	if len(r.tables) != len(s.tables) {
		t.Errorf("%d tables were restored, want %d", len(r.tables), len(s.tables))
	}
	for name, parts := range s.tables {
		want := slices.Sorted(slices.Values(slices.Concat(parts...)))
		if !slices.Equal(r.tables[name], want) {
			t.Errorf("table %s was restored with %d rows, want %d", name, len(r.tables[name]), len(want))
		}
		var sum rows.Sum
		for _, row := range want {
			sum.Add([]byte(row))
		}
		if r.proofs[name] != sum {
			t.Errorf("table %s has proof %s, want %s", name, r.proofs[name], sum)
		}
	}
	if e := r.entries["dataroot/link"]; e.Kind != stage.Symlink || e.Target != "dir/\xff" {
		t.Errorf("the symlink was restored as %+v", e)
	}
	if e := r.entries["dataroot/dir"]; e.Kind != stage.Dir || e.Mode != 0o2770 {
		t.Errorf("the directory was restored as %+v", e)
	}
}

// rowTaker collects the rows of a table.
type rowTaker struct {
	*restored
	table string
}

func (w rowTaker) Write(_ context.Context, c stage.Chunk) error {
	if bytes.Count(c.Data, []byte("\n")) != c.Rows {
		return fmt.Errorf("a chunk has %d rows, but its count is %d", bytes.Count(c.Data, []byte("\n")), c.Rows)
	}
	w.tables[w.table] = append(w.tables[w.table], slices.DeleteFunc(strings.Split(string(c.Data), "\n"), func(s string) bool { return s == "" })...)
	return nil
}

func (w rowTaker) Loss(_ context.Context, l stage.Loss) error {
	w.losses = append(w.losses, l)
	return nil
}
