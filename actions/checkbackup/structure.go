package checkbackup

import (
	"context"
	"slices"

	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/moodle/xmldb"
	"github.com/lmsvault/vault/core/stage"
)

// modifications compares the database with the definitions in the code.
func modifications(ctx context.Context, s *site) ([]stage.ActionFinding, error) {
	code, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	definitions, problems, err := code.Definitions(ctx)
	if err != nil {
		return nil, err
	}
	installed, err := s.installed(ctx)
	if err != nil {
		return nil, err
	}
	tables, err := s.db.Tables(ctx)
	if err != nil {
		return nil, err
	}
	losses, err := s.db.Losses(ctx)
	if err != nil {
		return nil, err
	}
	db := xmldb.Database{Dialect: s.db.Dialect(), Prefix: s.Prefix, Losses: losses}
	for i := range tables {
		db.Tables = append(db.Tables, tables[i].Table)
	}
	components := code.Components(installed)
	db.Owner = func(table string) string { return component.Owner(table, components) }
	db.Pending = func(component string) string { return code.Pending(component, installed) }
	differences := slices.DeleteFunc(xmldb.Compare(definitions, db), func(d xmldb.Difference) bool {
		return d.Kind == xmldb.Lost // the run counts them as losses, which it may accept
	})
	of := check.Structure{Differences: differences, Excludes: s.excludesTable}
	for _, p := range problems {
		of.Unread = append(of.Unread, p.String())
	}
	return of.Findings(), nil
}

// engines lists the storage engines of the tables that are read.
func engines(ctx context.Context, s *site) ([]stage.ActionFinding, error) {
	db, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	tables, err := db.Tables(ctx)
	if err != nil {
		return nil, err
	}
	by := map[string]string{}
	for _, t := range tables {
		if !s.excludesTable(t.Name) {
			by[t.Name] = t.Storage
		}
	}
	return check.WithoutTransactions(by, s.Prefix), nil
}
