package sample_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/sources/sample"
	"golang.org/x/sync/errgroup"
)

// recorder records what a source writes and checks the order of calls and the
// digests.
type recorder struct {
	t       *testing.T
	open    *stage.Entry
	sum     hash.Hash
	data    []byte
	entries map[string][]byte
	kinds   map[string]stage.Entry
	same    []string
}

func newRecorder(t *testing.T) *recorder {
	return &recorder{t: t, entries: map[string][]byte{}, kinds: map[string]stage.Entry{}}
}

func (r *recorder) Open(_ context.Context, e stage.Entry) error {
	if r.open != nil {
		return fmt.Errorf("%s opened while %s is open", e.Path, r.open.Path)
	}
	r.open, r.data, r.sum = &e, nil, sha256.New()
	if strings.HasPrefix(e.Path, stage.Filedir+"/") {
		r.sum = sha1.New()
	}
	return nil
}

func (r *recorder) Write(_ context.Context, data []byte) error {
	return r.chunk(stage.Chunk{Data: data})
}

// table records the rows of a table.
type table struct{ *recorder }

func (r table) Write(_ context.Context, c stage.Chunk) error { return r.chunk(c) }

func (r *recorder) chunk(c stage.Chunk) error {
	if len(c.Data) == 0 || len(c.Data) > rows.MaxChunk || c.Rows != 0 && c.Rows != bytes.Count(c.Data, []byte("\n")) {
		return fmt.Errorf("%s: a chunk of %d bytes, %d rows", r.open.Path, len(c.Data), c.Rows)
	}
	r.sum.Write(c.Data)
	r.data = append(r.data, c.Data...)
	return nil
}

func (r *recorder) Close(_ context.Context, d stage.Digest) error {
	e := *r.open
	if e.Kind == stage.File {
		if got := hex.EncodeToString(r.sum.Sum(nil)); d.SHA1+d.SHA256 != got || d.Bytes != int64(len(r.data)) || e.Size != d.Bytes {
			return fmt.Errorf("%s: %d bytes with %s, said to be %+v", e.Path, len(r.data), got, d)
		}
	}
	if _, twice := r.kinds[e.Path]; twice && e.Kind != stage.Table {
		return fmt.Errorf("%s is written twice", e.Path)
	}
	r.entries[e.Path] = append(r.entries[e.Path], r.data...)
	r.kinds[e.Path] = e
	r.open = nil
	return nil
}

func (r *recorder) Same(_ context.Context, e stage.Entry) error {
	r.same = append(r.same, e.Path)
	return nil
}

func (r *recorder) Drop(context.Context) error { return fmt.Errorf("a sample was dropped") }

func (r *recorder) Loss(_ context.Context, l stage.Loss) error {
	return fmt.Errorf("a sample has a loss: %+v", l)
}

// read plans and reads a whole site.
func read(t *testing.T, config sample.Config, known stage.Baseline) (*stage.Inventory, *recorder) {
	t.Helper()
	s, err := sample.New(config, 2)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := s.Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	r := newRecorder(t)
	for _, u := range inv.Units {
		request := stage.ReadRequest{Unit: u, Baseline: known}
		if u.Part == stage.DB {
			err = errors.Join(r.Open(t.Context(), stage.Entry{Path: "db/" + u.Table, Kind: stage.Table}), s.ReadRows(t.Context(), request, table{r}), r.Close(t.Context(), stage.Digest{}))
		} else {
			err = s.ReadFiles(t.Context(), request, r)
		}
		if err != nil {
			t.Fatalf("unit %s: %v", u.ID, err)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return inv, r
}

func TestSameSettingsGenerateSameSite(t *testing.T) {
	_, a := read(t, sample.Defaults(), nil)
	_, b := read(t, sample.Defaults(), nil)
	for path, data := range a.entries {
		if !bytes.Equal(data, b.entries[path]) {
			t.Errorf("%s differs", path)
		}
	}
	other := sample.Defaults()
	other.Seed = 2
	_, c := read(t, other, nil)
	if bytes.Equal(a.entries["db/user"], c.entries["db/user"]) {
		t.Error("another seed makes the same users")
	}
}

func TestRowsFitTheirTables(t *testing.T) {
	inv, site := read(t, sample.Defaults(), nil)
	total := int64(0)
	for _, info := range inv.Tables {
		data, ok := site.entries["db/"+info.Schema.Name]
		if !ok {
			t.Errorf("table %s was not read", info.Schema.Name)
		}
		n := int64(0)
		keys := map[string]bool{}
		unique := map[string]bool{}
		for {
			row, rest, ok, err := rows.Next(data)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			data = rest
			n++
			cells := rows.Split(nil, row)
			if len(cells) != len(info.Schema.Columns) {
				t.Fatalf("%s: a row of %d cells for %d columns: %q", info.Schema.Name, len(cells), len(info.Schema.Columns), row[:min(200, len(row))])
			}
			for i, cell := range cells {
				if rows.IsNull(cell) && !info.Schema.Columns[i].Nullable {
					t.Errorf("%s.%s: NULL in row %d", info.Schema.Name, info.Schema.Columns[i].Name, n)
				}
			}
			key := ""
			for _, k := range info.Schema.Key() {
				key += string(cells[k]) + "\t"
			}
			if key != "" && keys[key] {
				t.Errorf("%s: key %q twice", info.Schema.Name, key)
			}
			keys[key] = true
			for _, x := range info.Schema.Indexes {
				value, null := x.Name, false
				for _, col := range x.Columns {
					at := -1
					for i, c := range info.Schema.Columns {
						if c.Name == col.Name {
							at = i
						}
					}
					if at < 0 {
						t.Fatalf("%s: index %s on missing column %q", info.Schema.Name, x.Name, col.Name)
					}
					value += "\t" + strings.ToLower(string(cells[at]))
					null = null || rows.IsNull(cells[at])
				}
				if x.Unique && !null && unique[value] {
					t.Errorf("%s: unique value %q twice where case does not count", info.Schema.Name, value)
				}
				unique[value] = true
			}
		}
		if n != info.Rows {
			t.Errorf("%s: %d rows, planned %d", info.Schema.Name, n, info.Rows)
		}
		if n > 99 {
			if got := int64(len(site.entries["db/"+info.Schema.Name])) / n; info.Schema.Name != "forum_posts" && (got > 2*info.Bytes/n || got < info.Bytes/n/2) {
				t.Errorf("%s: rows of %d bytes, planned %d", info.Schema.Name, got, info.Bytes/n)
			}
		}
		total += n
	}
	if total < 1700 || total > 2300 {
		t.Errorf("the usual site has %d rows", total)
	}
}

func TestFilesTableRefersToExactlyTheContents(t *testing.T) {
	_, site := read(t, sample.Defaults(), nil)
	named := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(string(site.entries["db/files"])), "\n") {
		named[strings.Split(line, "\t")[1]] = true
	}
	stored := 0
	for path := range site.entries {
		if hash, ok := strings.CutPrefix(path, "filedir/"); ok {
			stored++
			if !named[hash[6:]] {
				t.Errorf("no row refers to %s", path)
			}
		}
	}
	if stored != len(named) || stored < 195 {
		t.Errorf("%d contents for %d named", stored, len(named))
	}
	if _, ok := site.entries["filedir/da/39/da39a3ee5e6b4b0d3255bfef95601890afd80709"]; !ok {
		t.Error("the empty file is missing")
	}
}

func TestDatarootListsParentsFirst(t *testing.T) {
	_, site := read(t, sample.Defaults(), nil)
	for path, e := range site.kinds {
		parent := path[:strings.LastIndex(path, "/")]
		if strings.HasPrefix(path, "dataroot/") && parent != "dataroot" && site.kinds[parent].Kind != stage.Dir {
			t.Errorf("%q has no parent", path)
		}
		if e.Kind != stage.Table && e.Mode == 0 {
			t.Errorf("%q has no mode", path)
		}
	}
	if string(site.entries["dataroot/0"]) != "0" || site.kinds["dataroot/lang/current"].Target != "de" {
		t.Error("the file 0 or the link lang/current is wrong")
	}
}

func TestKnownFilesAreNotRegenerated(t *testing.T) {
	_, first := read(t, sample.Defaults(), nil)
	known, files := stage.Baseline{}, 0
	for path, e := range first.kinds {
		if e.Kind == stage.File {
			known[path] = e.Fingerprint
			files++
		}
	}
	_, second := read(t, sample.Defaults(), known)
	if len(second.same) != files {
		t.Errorf("%d of %d files are the same", len(second.same), files)
	}
}

func TestSizesAreMet(t *testing.T) {
	config := sample.Defaults()
	config.DBBytes, config.FileCount, config.FileBytes = 6<<20, 300, 8<<20
	_, site := read(t, config, nil)
	db, files := 0, 0
	for path, data := range site.entries {
		switch path[:2] {
		case "db":
			db += len(data)
		case "fi":
			files += len(data)
		}
	}
	if db < 5<<20 || db > 8<<20 || files < 6<<20 || files > 10<<20 {
		t.Errorf("asked for 6 and 8 MiB, got %d and %d bytes", db, files)
	}
}

func TestBadFactor(t *testing.T) {
	for _, factor := range []string{"", "0", "-1", "NaN", "Inf", "x"} {
		config := sample.Defaults()
		config.Factor = factor
		if _, err := sample.New(config, 1); err == nil || !strings.Contains(err.Error(), "factor") {
			t.Errorf("factor %q: %v", factor, err)
		}
	}
}

// counter is a Writer that only counts.
type counter struct{ bytes int64 }

func (*counter) Open(context.Context, stage.Entry) error   { return nil }
func (*counter) Close(context.Context, stage.Digest) error { return nil }
func (*counter) Same(context.Context, stage.Entry) error   { return nil }
func (*counter) Drop(context.Context) error                { return nil }
func (*counter) Loss(context.Context, stage.Loss) error    { return nil }
func (c *counter) Write(_ context.Context, data []byte) error {
	c.bytes += int64(len(data))
	return nil
}

// rowCounter counts the bytes of rows.
type rowCounter struct{ *counter }

func (c rowCounter) Write(_ context.Context, k stage.Chunk) error {
	c.bytes += int64(len(k.Data))
	return nil
}

func BenchmarkSite(b *testing.B) {
	config := sample.Defaults()
	config.DBBytes, config.FileCount, config.FileBytes = 64<<20, 1000, 64<<20
	for b.Loop() {
		s, err := sample.New(config, 2)
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		inv, err := s.Plan(b.Context(), stage.PlanRequest{})
		if err != nil {
			b.Fatal(err)
		}
		planned := time.Since(start)
		g, ctx := errgroup.WithContext(b.Context())
		g.SetLimit(2)
		var mu sync.Mutex
		total := map[string]int64{}
		for _, u := range inv.Units {
			g.Go(func() error {
				var c counter
				var err error
				if u.Part == stage.DB {
					err = s.ReadRows(ctx, stage.ReadRequest{Unit: u}, rowCounter{&c})
				} else {
					err = s.ReadFiles(ctx, stage.ReadRequest{Unit: u}, &c)
				}
				mu.Lock()
				defer mu.Unlock()
				total[u.Part] += c.bytes
				return err
			})
		}
		if err := g.Wait(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(planned.Seconds(), "plan-s")
		b.SetBytes(total[stage.DB] + total[stage.Filedir])
	}
}
