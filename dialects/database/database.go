package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"sync"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Database is a session on a site's database. It is safe for concurrent use; statements
// take turns.
//
// Statements name tables as Moodle's code does, {user} for the table user of the site's
// prefix, and have ? for each argument: a string, []byte, int64, int or nil. Use only SQL
// that every engine has, or ask Dialect. Write no value and no ? into a statement.
type Database struct {
	engine engine
	prefix string

	mu     sync.Mutex
	tables []Table
	losses []stage.Loss
}

// Text is a value as the engine prints it; not Valid is NULL.
type Text = sql.NullString

// Table is a table of the site.
type Table struct {
	schema.Table
	Rows, Bytes int64  // estimates of the server
	Storage     string // storage engine of MySQL: InnoDB, MyISAM …
}

// engine is what the engines differ in.
type engine interface {
	dialect() string
	product() string // MariaDB 10.11.19
	address() string // for messages, without the password
	quote(name string) string
	query(ctx context.Context, statement string, args []any, each func(row []Text) error) error
	exec(ctx context.Context, statement string, args []any) (rows int64, err error)
	inspect(ctx context.Context, prefix string) ([]Table, []stage.Loss, error)
	site(ctx context.Context, prefix string) (moodle.Site, error)
	location(ctx context.Context) (string, error)
	close(ctx context.Context) error
}

// Dialect returns the dialect of the database: mysql, postgres or sqlite.
func (d *Database) Dialect() string { return d.engine.dialect() }

// Product returns the name and version of the server, such as MariaDB 10.11.19.
func (d *Database) Product() string { return d.engine.product() }

// Address returns a name of the database for messages, without the password.
func (d *Database) Address() string { return d.engine.address() }

// Prefix returns the prefix of the site's tables.
func (d *Database) Prefix() string { return d.prefix }

// Quote returns a name, such as that of a column, quoted for a statement.
func (d *Database) Quote(name string) string { return d.engine.quote(name) }

// Location identifies the database independently of the address used to reach it, as
// stage.Inventory.Location does.
func (d *Database) Location(ctx context.Context) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.engine.location(ctx)
}

// Close ends the session. An open transaction is rolled back.
func (d *Database) Close(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.engine.close(ctx)
}

// Site returns which site the tables belong to.
func (d *Database) Site(ctx context.Context) (moodle.Site, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.engine.site(ctx, d.prefix)
}

// Tables returns the tables of the site, by name, with their structure. It reads them once;
// the caller must not change them. There are none if the database holds no site.
func (d *Database) Tables(ctx context.Context) ([]Table, error) {
	tables, _, err := d.structure(ctx)
	return tables, err
}

// Losses lists what a backup of the tables can't include. Like Tables, it reads once.
func (d *Database) Losses(ctx context.Context) ([]stage.Loss, error) {
	_, losses, err := d.structure(ctx)
	return losses, err
}

func (d *Database) structure(ctx context.Context) ([]Table, []stage.Loss, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.tables == nil {
		tables, losses, err := d.engine.inspect(ctx, d.prefix)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: reading the structure of the tables: %w", d.Address(), err)
		}
		d.tables, d.losses = append([]Table{}, tables...), losses
	}
	return d.tables, d.losses, nil
}

// Table returns a table by its name without prefix, or nil if there is none.
func (d *Database) Table(ctx context.Context, name string) (*Table, error) {
	tables, err := d.Tables(ctx)
	if err != nil {
		return nil, err
	}
	for i := range tables {
		if tables[i].Name == name {
			return &tables[i], nil
		}
	}
	return nil, nil
}

// Query returns all rows of a statement with a small result.
func (d *Database) Query(ctx context.Context, statement string, args ...any) ([][]Text, error) {
	var all [][]Text
	err := d.Each(ctx, statement, args, func(row []Text) error {
		all = append(all, append([]Text(nil), row...))
		return nil
	})
	return all, err
}

// First returns the only value of a statement; not Valid for NULL and for no row.
func (d *Database) First(ctx context.Context, statement string, args ...any) (Text, error) {
	var first Text
	err := d.Each(ctx, statement, args, func(row []Text) error {
		first = row[0]
		return errEnough
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return first, err
}

var errEnough = errors.New("enough")

// Each calls fn for each row of a statement, which may have a large result. fn must neither
// keep row nor use the database.
func (d *Database) Each(ctx context.Context, statement string, args []any, fn func(row []Text) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.engine.query(ctx, d.full(statement), args, fn); err != nil {
		return fmt.Errorf("%s: %w", d.Address(), err)
	}
	return nil
}

// Exec executes a statement and returns the number of rows that it concerned.
func (d *Database) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.engine.exec(ctx, d.full(statement), args)
	if err != nil {
		return n, fmt.Errorf("%s: %w", d.Address(), err)
	}
	return n, nil
}

// Atomically calls fn in a transaction, which it commits if fn returns nil and rolls back
// otherwise. Calls of other goroutines take part in the transaction, so there must be none.
func (d *Database) Atomically(ctx context.Context, fn func() error) (err error) {
	begin := "BEGIN"
	if d.Dialect() == "sqlite" {
		begin = "BEGIN IMMEDIATE"
	}
	if _, err := d.Exec(ctx, begin); err != nil {
		return err
	}
	if err := fn(); err != nil {
		if _, bad := d.Exec(context.WithoutCancel(ctx), "ROLLBACK"); bad != nil {
			return errors.Join(err, bad)
		}
		return err
	}
	_, err = d.Exec(ctx, "COMMIT")
	return err
}

var table = regexp.MustCompile(`\{([a-z][a-z0-9_]*)\}`)

// full returns a statement with the names of tables in place.
func (d *Database) full(statement string) string {
	return table.ReplaceAllStringFunc(statement, func(name string) string {
		return d.engine.quote(d.prefix + name[1:len(name)-1])
	})
}
