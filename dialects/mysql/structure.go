package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Structure is what a database holds of one site.
type Structure struct {
	Tables []Table  // by name
	Others []string // full names of tables and views of other programs and sites
	Losses []stage.Loss
	Notes  []stage.Note
	Marked bool // Marker exists: a restore did not finish
	// Tables and views, by full name, that an interrupted restore left beside the
	// site.
	Leftovers, LeftoverViews []string
}

// Table is a table of a site as it exists in a database.
type Table struct {
	schema.Table
	FullName string // including the prefix
	Engine   string // InnoDB, MyISAM …
	Rows     int64  // the server's estimate
	Bytes    int64  // of the rows, the server's estimate
	RowBytes int64  // of one row, the server's estimate
}

// Queryer is implemented by *sql.DB and *sql.Conn.
type Queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Inspect reads the structure of all tables with exactly that prefix, in a fixed
// number of queries, and lists what Vault cannot transfer.
func (s *Server) Inspect(ctx context.Context, prefix string) (*Structure, error) {
	return s.inspect(ctx, &inspection{Server: s, prefix: prefix})
}

// InspectAs reads the structure of the tables whose full names are the keys of names,
// as if they had the names in its values.
func (s *Server) InspectAs(ctx context.Context, names map[string]string) (*Structure, error) {
	folded := map[string]string{}
	for full, name := range names {
		folded[s.fold(full)] = name
	}
	return s.inspect(ctx, &inspection{Server: s, names: folded})
}

func (s *Server) inspect(ctx context.Context, i *inspection) (*Structure, error) {
	i.st, i.byName = &Structure{}, map[string]*Table{}
	for _, step := range []struct {
		what string
		run  func(context.Context) error
	}{
		{"tables", i.tables},
		{"columns", i.columns},
		{"defaults of binary columns", i.binaryDefaults},
		{"exact defaults", i.exactDefaults},
		{"indexes", i.indexes},
		{"constraints", i.constraints},
		{"triggers, routines and events", i.objects},
	} {
		if err := step.run(ctx); err != nil {
			return nil, fmt.Errorf("%s: reading the %s of the database: %w", s.Address, step.what, err)
		}
	}
	for k := range i.st.Tables {
		i.st.Tables[k].finish(i)
	}
	return i.st, nil
}

// inspection is the state of one Inspect.
type inspection struct {
	*Server
	prefix string
	names  map[string]string // tables of InspectAs; nil for those with the prefix
	others []string          // prefixes of other sites that begin with ours
	st     *Structure
	byName map[string]*Table // by full name
}

// each runs a query and calls row for each row, after scanning it into dest.
func (i *inspection) each(ctx context.Context, row func(), query string, dest ...any) (err error) {
	rows, err := i.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		row()
	}
	return rows.Err()
}

// mine returns a name without the prefix if it belongs to the site.
func (i *inspection) mine(full string) (string, bool) {
	if i.names != nil {
		name, ok := i.names[i.fold(full)]
		return name, ok
	}
	name, ok := i.cut(full, i.prefix)
	if !ok || slices.ContainsFunc(i.others, func(p string) bool { return strings.HasPrefix(i.fold(full), p) }) {
		return "", false
	}
	return name, true
}

func (i *inspection) loss(kind stage.LossKind, table, where, reason string) {
	i.st.Losses = append(i.st.Losses, stage.Loss{Kind: kind, Path: stage.DB + "/" + table, Where: where, Reason: reason, Count: 1})
}

func (i *inspection) note(table, text string) {
	path := stage.DB
	if table != "" {
		path += "/" + table
	}
	i.st.Notes = append(i.st.Notes, stage.Note{Path: path, Text: text})
}

type listed struct {
	name, kind, engine, collation, options, comment string
	rows, rowBytes, bytes                           int64
	next                                            uint64
}

func (i *inspection) tables(ctx context.Context) error {
	var all []listed
	var l listed
	if err := i.each(ctx, func() { all = append(all, l) }, `SELECT TABLE_NAME, TABLE_TYPE, COALESCE(ENGINE,''), COALESCE(TABLE_COLLATION,''), COALESCE(CREATE_OPTIONS,''), COALESCE(TABLE_COMMENT,''),
		COALESCE(TABLE_ROWS,0), COALESCE(AVG_ROW_LENGTH,0), COALESCE(DATA_LENGTH,0), COALESCE(AUTO_INCREMENT,0)
		FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()`,
		&l.name, &l.kind, &l.engine, &l.collation, &l.options, &l.comment, &l.rows, &l.rowBytes, &l.bytes, &l.next); err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b listed) int { return strings.Compare(a.name, b.name) })
	names := make([]string, len(all))
	for k := range all {
		names[k] = all[k].name
	}
	if i.others = i.otherSites(names, i.prefix); len(i.others) > 0 {
		i.note("", "skipped tables of other sites, with the prefixes "+strings.Join(i.others, ", "))
	}
	for _, l := range all {
		name, ok := i.mine(l.name)
		switch {
		case !ok:
			i.st.Others = append(i.st.Others, l.name)
		case name == Marker:
			i.st.Marked = true
		case beside(name) && l.kind == "VIEW":
			i.st.LeftoverViews = append(i.st.LeftoverViews, l.name)
		case beside(name):
			i.st.Leftovers = append(i.st.Leftovers, l.name)
		case l.kind == "VIEW":
			i.loss(stage.LossView, name, "", "a view")
		case l.kind == "SEQUENCE":
			i.loss(stage.LossTable, name, "", "a sequence object of MariaDB")
		case l.kind == "BASE TABLE", l.kind == "SYSTEM VERSIONED":
			i.add(name, l)
		default:
			i.loss(stage.LossTable, name, "", "a table of type "+l.kind)
		}
	}
	if n := len(i.st.Others); n > 0 {
		i.note("", fmt.Sprintf("%d tables and views without the prefix %q do not belong to this site: %s", n, i.prefix, someOf(i.st.Others)))
	}
	if left := slices.Concat(i.st.Leftovers, i.st.LeftoverViews); len(left) > 0 {
		i.note("", "left by an interrupted restore, not part of the site: "+someOf(left))
	}
	for k := range i.st.Tables {
		i.byName[i.st.Tables[k].FullName] = &i.st.Tables[k]
	}
	return nil
}

func (i *inspection) add(name string, l listed) {
	t := Table{FullName: l.name, Engine: l.engine, Rows: l.rows, Bytes: l.bytes, RowBytes: l.rowBytes}
	t.Table = schema.Table{Name: name, Dialect: Dialect, Collation: l.collation, Comment: l.comment}
	if l.next > 0 {
		t.Sequence = &schema.Sequence{Next: l.next} // finish removes it if no column uses it
	}
	if l.kind == "SYSTEM VERSIONED" {
		i.loss(stage.LossConstraint, name, "", "system versioning: historical rows are not transferred")
	}
	var options []string
	for option := range strings.FieldsSeq(l.options) {
		key, value, _ := strings.Cut(strings.ToUpper(option), "=")
		switch key {
		case "ROW_FORMAT", "KEY_BLOCK_SIZE":
			if option := key + "=" + value; l.engine == "InnoDB" && refuseOptions(option) == nil {
				options = append(options, option)
			}
		case "PARTITIONED":
			i.note(name, "is partitioned; its rows are transferred, its partitions are not")
		default:
			i.note(name, "its option "+option+" is not transferred")
		}
	}
	t.Options = strings.Join(options, " ")
	i.st.Tables = append(i.st.Tables, t)
}

// finish completes a table after everything has been read.
func (t *Table) finish(i *inspection) {
	if t.Sequence != nil && t.Sequence.Column == "" {
		t.Sequence = nil
	}
	for k := range t.Columns {
		c := &t.Columns[k]
		if c.Collation == t.Collation {
			c.Collation = ""
		}
		if err := refuseDefault(&t.Table, c); err != nil {
			i.loss(stage.LossDefault, t.Name, c.Name, fmt.Sprintf("its default %.200q is not supported: %v", c.Default.Value, err))
			c.Default = nil
		}
	}
	if len(t.Columns) == 0 {
		i.loss(stage.LossTable, t.Name, "", "no readable column: all are generated, or the user lacks the privilege to see them")
	}
}

// someOf lists names, at most the first 40.
func someOf(names []string) string {
	const most = 40
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " …"
	}
	return strings.Join(names, ", ")
}
