package sample

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/keyrange"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

const unitBytes = 16 << 20 // of rows in a unit, about

// Source generates the site of a Config. Use New.
type Source struct {
	config   Config
	workers  int
	site     *site
	selected selection.Selection
	filters  map[string]*selection.Filter // by table
}

// New returns a source; workers is the number of goroutines that hash files while it
// plans.
func New(config Config, workers int) (*Source, error) {
	if err := config.Validate(); err != nil {
		return nil, failure.New(failure.Usage, "%w", err)
	}
	return &Source{config: config, workers: workers}, nil
}

// Plan generates the site. All its numbers are exact, except for the bytes of tables.
func (s *Source) Plan(ctx context.Context, r stage.PlanRequest) (*stage.Inventory, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	site, err := newSite(ctx, s.config, s.workers)
	if err != nil {
		return nil, err
	}
	s.site = site
	inv := &stage.Inventory{Facts: map[string]string{
		"engine": "sample", "dialect": "", "prefix": s.config.Prefix, "charset": "UTF-8",
		"consistency": "generated, never changes", "seed": strconv.FormatInt(s.config.Seed, 10),
		"site": siteIdentifier, "site_name": "Sample site",
	}}
	s.selected, s.filters = r.Selection, map[string]*selection.Filter{}
	for _, t := range site.tables {
		if pattern, ok := s.selected.ExcludesTable(t.Name); ok {
			inv.Excluded = append(inv.Excluded, selection.Excluded{Path: stage.DB + "/" + t.Name, Pattern: pattern})
			continue
		}
		if s.filters[t.Name], err = s.selected.Filter(t.Table); err != nil {
			return nil, err
		}
		if s.filters[t.Name].None() {
			t.rows = 0
		}
		inv.Tables = append(inv.Tables, stage.TableInfo{Schema: t.Table, Rows: t.rows, Bytes: t.rows * t.rowSize})
		inv.Units = append(inv.Units, t.units()...)
	}
	if s.config.Files {
		inv.Units = append(inv.Units, site.fileUnits()...)
		inv.Excluded = append(inv.Excluded, site.excludedFiles(&s.selected)...)
	}
	return inv, nil
}

func (t *table) units() []stage.Unit {
	perUnit := max(1, unitBytes/t.rowSize)
	var units []stage.Unit
	for from := int64(0); from == 0 || from < t.rows; from += perUnit {
		n := min(perUnit, t.rows-from)
		r := keyrange.Range{From: strconv.FormatInt(from, 10), To: strconv.FormatInt(from+n, 10)}
		units = append(units, stage.Unit{
			ID: fmt.Sprintf("db/%s#%016d", t.Name, from), Part: stage.DB, Table: t.Name, Spec: r.String(), Rows: n, Bytes: n * t.rowSize,
		})
	}
	return units
}

func (s *site) fileUnits() []stage.Unit {
	var units []stage.Unit
	for _, digit := range "0123456789abcdef" {
		u := stage.Unit{ID: "filedir/" + string(digit), Part: stage.Filedir, Spec: string(digit)}
		for _, c := range s.slice(u.Spec) {
			u.Bytes += c.size
		}
		units = append(units, u)
	}
	for _, i := range s.dataroot {
		top, _, below := strings.Cut(strings.TrimPrefix(i.Path, stage.Dataroot+"/"), "/")
		id := stage.Dataroot + "/" + top
		if !below {
			units = append(units, stage.Unit{ID: id, Part: stage.Dataroot, Spec: top})
		}
		units[len(units)-1].Bytes += i.Size
	}
	return units
}

// slice returns the contents whose hash begins with digit.
func (s *site) slice(digit string) []content {
	find := func(prefix string) int {
		at, _ := slices.BinarySearchFunc(s.byHash, prefix, func(c content, p string) int { return strings.Compare(c.hash, p) })
		return at
	}
	return s.byHash[find(digit):find(string(digit[0]+1))]
}

// ReadRows generates the rows of a unit.
func (s *Source) ReadRows(ctx context.Context, r stage.ReadRequest, w stage.RowWriter) error {
	if s.site == nil {
		return fmt.Errorf("unit %s: read before Plan", r.Unit.ID)
	}
	return s.site.readTable(ctx, r.Unit, s.filters[r.Unit.Table], w)
}

// ReadFiles generates the entries of a unit.
func (s *Source) ReadFiles(ctx context.Context, r stage.ReadRequest, w stage.FileWriter) error {
	unit := r.Unit
	if s.site == nil {
		return fmt.Errorf("unit %s: read before Plan", unit.ID)
	}
	w = &selectedFiles{FileWriter: w, selected: &s.selected}
	switch unit.Part {
	case stage.Filedir:
		return s.site.readFiledir(ctx, unit, r.Baseline, w)
	case stage.Dataroot:
		return s.site.readDataroot(ctx, unit, r.Baseline, w)
	}
	return fmt.Errorf("unit %s: the sample has no part %q", unit.ID, unit.Part)
}

// Close releases the site.
func (s *Source) Close(context.Context) error {
	s.site = nil
	return nil
}

func (s *site) readTable(ctx context.Context, unit stage.Unit, filter *selection.Filter, w stage.RowWriter) error {
	t := s.table(unit.Table)
	r, err := keyrange.Parse(unit.Spec)
	if err != nil || t == nil {
		return fmt.Errorf("unit %s: no such table, or range %q", unit.ID, unit.Spec)
	}
	from, err1 := strconv.ParseInt(r.From, 10, 64)
	to, err2 := strconv.ParseInt(r.To, 10, 64)
	if err1 != nil || err2 != nil {
		return fmt.Errorf("unit %s: range %q is not two numbers", unit.ID, unit.Spec)
	}
	out := rows.NewBuilder(func(ctx context.Context, data []byte, n int) error {
		return w.Write(ctx, stage.Chunk{Data: data, Rows: n})
	})
	c := &cells{site: s, out: out}
	key := t.Key()
	var row [][]byte
	var keyText []byte
	for i := from; i < to; i++ {
		c.start(s.config.Seed, t.Name, i)
		c.started = false
		t.row(c, i)
		keep, err := filter.Keep(out.Row())
		if err != nil {
			return err
		}
		if !keep {
			out.Buf = out.Buf[:len(out.Buf)-len(out.Row())]
			continue
		}
		row = rows.Split(row, out.Row())
		keyText = keyText[:0]
		for n, k := range key {
			if n > 0 {
				keyText = append(keyText, '\t')
			}
			keyText = append(keyText, row[k]...)
		}
		if err := out.End(ctx, keyText); err != nil {
			return err
		}
	}
	return out.Flush(ctx)
}

func (s *site) readFiledir(ctx context.Context, unit stage.Unit, known stage.Baseline, w stage.FileWriter) error {
	var buf []byte
	for _, c := range s.slice(unit.Spec) {
		e := stage.Entry{
			Path: c.path(),
			Kind: stage.File, Size: c.size, Mode: 0o660, ModTime: modTime(c.number),
		}
		e.Fingerprint = strconv.FormatInt(c.size, 10) + "@" + strconv.FormatInt(e.ModTime.UnixNano(), 10)
		if known[e.Path] == e.Fingerprint {
			if err := w.Same(ctx, e); err != nil {
				return err
			}
			continue
		}
		if err := w.Open(ctx, e); err != nil {
			return err
		}
		var err error
		if buf, err = s.write(ctx, c, buf, w.Write); err != nil {
			return err
		}
		if err := w.Close(ctx, stage.Digest{Bytes: c.size, SHA1: c.hash}); err != nil {
			return err
		}
	}
	return nil
}

func (s *site) readDataroot(ctx context.Context, unit stage.Unit, known stage.Baseline, w stage.FileWriter) error {
	for _, i := range s.dataroot {
		top, _, _ := strings.Cut(strings.TrimPrefix(i.Path, stage.Dataroot+"/"), "/")
		if top != unit.Spec {
			continue
		}
		if i.Fingerprint != "" && known[i.Path] == i.Fingerprint {
			if err := w.Same(ctx, i.Entry); err != nil {
				return err
			}
			continue
		}
		if err := w.Open(ctx, i.Entry); err != nil {
			return err
		}
		var digest stage.Digest
		if i.Kind == stage.File {
			digest = i.digest()
			if len(i.data) > 0 {
				if err := w.Write(ctx, i.data); err != nil {
					return err
				}
			}
		}
		if err := w.Close(ctx, digest); err != nil {
			return err
		}
	}
	return nil
}
