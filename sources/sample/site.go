package sample

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// site is a generated site. It does not change once created, so it is safe for
// concurrent use.
type site struct {
	config   Config
	words    vocabulary
	tables   []table
	contents []content // by number; empty without files
	byHash   []content
	dataroot []item
}

func newSite(ctx context.Context, config Config, workers int) (*site, error) {
	factor, err := config.factor()
	if err != nil {
		return nil, err
	}
	s := &site{config: config, words: newVocabulary()}
	if config.Files {
		count := max(2, scale(int64(config.FileCount), factor))
		if s.contents, err = s.makeContents(ctx, count, scale(int64(config.FileBytes), factor), max(1, workers)); err != nil {
			return nil, err
		}
		s.byHash = byHash(s.contents)
		s.dataroot = dataroot(s, factor)
	}
	for _, t := range moodle() {
		m := makers[t.Name]
		t.PrimaryKey = []string{"id"}
		s.tables = append(s.tables, table{Table: t, rows: scaled(t.Name, m.rows, factor), rowSize: m.size, row: m.row})
	}
	s.tables = append(s.tables, table{
		Table: fileTable(), rows: fileRows(int64(len(s.contents))), rowSize: 200, row: fileRow,
	})
	s.tables = append(s.tables, odd()...)
	slices.SortFunc(s.tables, func(a, b table) int { return strings.Compare(a.Name, b.Name) })
	s.fillUp(scale(int64(config.DBBytes), factor))
	for i := range s.tables {
		t := &s.tables[i]
		nameIndexes(&t.Table, config.Prefix)
		if t.Sequence == nil && slices.Equal(t.PrimaryKey, []string{"id"}) && t.Column("id").Type.Length == 10 {
			// A tenth of the tables has lost its last rows.
			t.Sequence = &schema.Sequence{Column: "id", Next: uint64(t.rows+1) + uint64(i%10/9*100)}
		}
	}
	return s, nil
}

func scale(n int64, factor float64) int64 {
	return int64(min(float64(n)*factor, math.MaxInt64/2))
}

// scaled returns the number of rows of a table: settings do not grow with a site.
func scaled(name string, rows int64, factor float64) int64 {
	switch name {
	case "config":
		return rows
	case "user":
		return min(max(1, scale(rows, factor)), 1<<wordBits)
	}
	return max(1, scale(rows, factor))
}

// fillUp adds log rows and forum posts until the tables have about size bytes, two
// thirds of it in the log, as on a site that has run for years.
func (s *site) fillUp(size int64) {
	for _, t := range s.tables {
		size -= t.rows * t.rowSize
	}
	if size <= 0 {
		return
	}
	s.table("logstore_standard_log").rows += size * 2 / 3 / logSize
	s.table("forum_posts").rows += size / 3 / postSize
}

// table returns the table with that name, or nil.
func (s *site) table(name string) *table {
	for i := range s.tables {
		if s.tables[i].Name == name {
			return &s.tables[i]
		}
	}
	return nil
}
