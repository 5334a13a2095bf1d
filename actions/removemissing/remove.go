package removemissing

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
)

// remove removes the plugins: in one transaction, except that MySQL can't drop a table in
// one. The row with the plugin's version is deleted with the others, so that a plugin whose
// removal was interrupted is found again. In a dry run it only counts.
func remove(ctx context.Context, db *database.Database, plans []*removal, dry bool) error {
	if dry {
		for _, p := range plans {
			if err := p.count(ctx, db); err != nil {
				return err
			}
		}
		return nil
	}
	drop := func() error {
		for _, p := range plans {
			for _, table := range p.tables {
				done := stage.Step(ctx, "dropping table "+table)
				_, err := db.Exec(ctx, "DROP TABLE "+db.Quote(db.Prefix()+table))
				if done(); err != nil {
					return fmt.Errorf("table %s: %w", table, err)
				}
			}
		}
		return nil
	}
	if db.Dialect() == "mysql" {
		if err := drop(); err != nil {
			return err
		}
		drop = func() error { return nil }
	}
	return db.Atomically(ctx, func() error {
		if err := drop(); err != nil {
			return err
		}
		for _, p := range plans {
			if err := p.apply(ctx, db); err != nil {
				return fmt.Errorf("%s: %w", p.component, err)
			}
		}
		return nil
	})
}

// count counts the rows that would be deleted.
func (r *removal) count(ctx context.Context, db *database.Database) error {
	for _, d := range r.deletions {
		n, err := db.First(ctx, "SELECT COUNT(*) FROM {"+d.table+"} WHERE "+d.where, d.args...)
		if err != nil {
			return err
		}
		if n.String != "0" {
			r.removed = append(r.removed, rows(n.String, d.table))
		}
	}
	return nil
}

func rows(n, table string) string {
	if n == "1" {
		return "1 row of " + table
	}
	return n + " rows of " + table
}

// apply deletes the rows.
func (r *removal) apply(ctx context.Context, db *database.Database) error {
	if r.activity != "" {
		if err := r.takeFromCourses(ctx, db); err != nil {
			return err
		}
	}
	for _, d := range r.deletions {
		n, err := db.Exec(ctx, "DELETE FROM {"+d.table+"} WHERE "+d.where, d.args...)
		if err != nil {
			return fmt.Errorf("table %s: %w", d.table, err)
		}
		if n > 0 {
			r.removed = append(r.removed, rows(strconv.FormatInt(n, 10), d.table))
		}
	}
	return nil
}

// takeFromCourses removes the activities from the sections of courses, and invalidates the
// caches of these courses.
func (r *removal) takeFromCourses(ctx context.Context, db *database.Database) error {
	for table, column := range map[string]string{"course_modules": "course", "modules": "name", "course_sections": "sequence", "course": "cacherev"} {
		if there, err := has(ctx, db, table, column); err != nil || !there {
			return err
		}
	}
	const of = "{course_modules} WHERE module IN (SELECT id FROM {modules} WHERE name = ?)"
	modules, err := db.Query(ctx, "SELECT id FROM "+of, r.activity)
	if err != nil {
		return err
	}
	gone := map[string]bool{}
	for _, row := range modules {
		gone[row[0].String] = true
	}
	sections, err := db.Query(ctx, "SELECT id, "+db.Quote("sequence")+" FROM {course_sections} WHERE course IN (SELECT course FROM "+of+")", r.activity)
	if err != nil {
		return err
	}
	for _, row := range sections {
		before := strings.Split(row[1].String, ",")
		after := slices.DeleteFunc(slices.Clone(before), func(id string) bool { return gone[strings.TrimSpace(id)] })
		if len(after) == len(before) {
			continue
		}
		if _, err := db.Exec(ctx, "UPDATE {course_sections} SET "+db.Quote("sequence")+" = ? WHERE id = ?", strings.Join(after, ","), row[0].String); err != nil {
			return err
		}
	}
	_, err = db.Exec(ctx, "UPDATE {course} SET cacherev = cacherev + 1 WHERE id IN (SELECT course FROM "+of+")", r.activity)
	return err
}
