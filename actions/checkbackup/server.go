package checkbackup

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/mysql"
	"github.com/lmsvault/vault/dialects/postgres"
)

// server reads the version and settings of the database server.
func server(ctx context.Context, s *site) ([]stage.ActionFinding, error) {
	db, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	of := check.Server{Product: db.Product()}
	if s.plan != nil {
		of.Consistency = s.plan.Facts["consistency"]
	}
	if db.Dialect() == mysql.Dialect {
		if of.Packet, err = packet(ctx, db); err != nil {
			return nil, err
		}
		infile, err := db.First(ctx, "SELECT @@local_infile")
		if err != nil {
			return nil, err
		}
		if of.LocalInfile = "OFF"; infile.String == "1" || infile.String == "ON" {
			of.LocalInfile = "ON"
		}
	}
	return of.Findings(), nil
}

// packet reads max_allowed_packet.
func packet(ctx context.Context, db *database.Database) (int64, error) {
	text, err := db.First(ctx, "SELECT @@max_allowed_packet")
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text.String, 10, 64)
}

// rights reads the privileges of the database user.
func rights(ctx context.Context, s *site) ([]stage.ActionFinding, error) {
	db, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	var of check.Rights
	switch db.Dialect() {
	case mysql.Dialect:
		has, err := db.Rights(ctx)
		if err != nil {
			return nil, err
		}
		name, err := db.First(ctx, "SELECT DATABASE()")
		if err != nil {
			return nil, err
		}
		of.Has, of.Database = has.Has, mysql.Ident(name.String)
	case postgres.Dialect:
		rows, err := db.Query(ctx, `SELECT relname FROM pg_catalog.pg_class
			WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'S') AND left(relname, length(?)) = ?
			AND NOT CASE relkind WHEN 'S' THEN has_sequence_privilege(oid, 'SELECT') ELSE has_table_privilege(oid, 'SELECT') END ORDER BY relname`, s.Prefix, s.Prefix)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if !s.excludesTable(strings.TrimPrefix(row[0].String, s.Prefix)) {
				of.Unreadable = append(of.Unreadable, row[0].String)
			}
		}
	}
	return of.Findings(), nil
}

// measureTime is how long largeRows may take.
const measureTime = 20 * time.Second

// largeRows measures the rows of tables that are large enough to have one that exceeds
// max_allowed_packet. It has a session of its own, which ends when the time is over.
func largeRows(ctx context.Context, s *site) (found []stage.ActionFinding, err error) {
	db, err := s.open(ctx)
	if err != nil || db.Dialect() != mysql.Dialect {
		return nil, err
	}
	of := check.RowSizes{Largest: map[string]int64{}}
	if of.Packet, err = packet(ctx, db); err != nil {
		return nil, err
	}
	tables, err := db.Tables(ctx)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, measureTime)
	defer cancel()
	own, err := s.Open(limited)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, own.Close(context.WithoutCancel(ctx))) }()
	for _, t := range tables {
		columns := unbounded(t.Table)
		if s.excludesTable(t.Name) || columns == nil || t.Bytes < of.Packet {
			continue
		}
		if limited.Err() != nil {
			of.Left = append(of.Left, t.Name)
			continue
		}
		var lengths []string
		for _, name := range columns {
			lengths = append(lengths, "COALESCE(LENGTH("+own.Quote(name)+"), 0)")
		}
		size, err := own.First(limited, fmt.Sprintf("SELECT MAX(%s) FROM {%s}", strings.Join(lengths, " + "), t.Name))
		switch {
		case limited.Err() != nil:
			of.Left = append(of.Left, t.Name)
		case err != nil:
			return nil, err
		case size.Valid:
			if of.Largest[t.Name], err = strconv.ParseInt(size.String, 10, 64); err != nil {
				return nil, err
			}
		}
	}
	return of.Findings(), nil
}

// unbounded lists the columns of a table whose values may be large.
func unbounded(t schema.Table) []string {
	var names []string
	for _, c := range t.Columns {
		switch c.Type.Kind {
		case schema.Text, schema.Binary, schema.JSON:
			names = append(names, c.Name)
		}
	}
	return names
}

// environment reads the versions of Moodle, the database and PHP.
func environment(ctx context.Context, s *site) ([]stage.ActionFinding, error) {
	of := check.Environ{PHP: php(ctx)}
	var errs []error
	if code, err := s.load(ctx); err == nil {
		of.Release, of.Branch = code.Release, code.Branch
		for _, p := range code.Problems {
			of.Problems = append(of.Problems, p.String())
		}
	} else if !errors.Is(err, errNoCode) {
		errs = append(errs, err)
	}
	if db, err := s.open(ctx); err == nil {
		of.Database = db.Product()
		if of.Installed, err = s.setting(ctx, "release"); err != nil {
			errs = append(errs, err)
		}
	} else {
		errs = append(errs, err)
	}
	return of.Findings(), errors.Join(errs...)
}

// phpTime is how long PHP may take to print its version.
const phpTime = 5 * time.Second

// php returns the version of PHP, or "" if it is not installed or does not answer.
func php(ctx context.Context) string {
	path, err := exec.LookPath("php")
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, phpTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "-n", "-v")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(out[:min(len(out), 200)]))
	if len(fields) < 2 || fields[0] != "PHP" {
		return ""
	}
	return fields[1]
}
