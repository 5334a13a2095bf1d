package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// preserved reports whether a table stays when others are replaced.
func preserved(patterns []string, table string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return postgres.Matches(p, table) })
}

// list lists what is replaced.
func (s *Sink) list(ctx context.Context, conn *postgres.Conn) (*postgres.Listing, error) {
	return listReplaced(ctx, conn, s.plan.Preserve)
}

func listReplaced(ctx context.Context, conn *postgres.Conn, preserve []string) (*postgres.Listing, error) {
	l, err := conn.List(ctx)
	if err != nil || preserve == nil {
		return l, err
	}
	stays := func(r postgres.Relation) bool { return preserved(preserve, r.Name) }
	l.Tables, l.Others = slices.DeleteFunc(l.Tables, stays), slices.DeleteFunc(l.Others, stays)
	return l, nil
}

// preserve notes what stays, and refuses restored tables with the same names.
func (c *check) preserve(ctx context.Context) error {
	if c.plan.Preserve == nil {
		return nil
	}
	l, err := c.conn.List(ctx)
	if err != nil {
		return err
	}
	for _, pattern := range c.plan.Preserve {
		found := false
		for _, r := range slices.Concat(l.Tables, l.Others) {
			if !postgres.Matches(pattern, r.Name) {
				continue
			}
			found = true
			c.notes = append(c.notes, stage.Note{Path: stage.DB + "/" + r.Name, Text: "preserved: stays unchanged"})
		}
		if !found {
			c.notes = append(c.notes, stage.Note{Path: stage.DB, Text: fmt.Sprintf("preserve: %q matches no table of the target", pattern)})
		}
	}
	for _, info := range c.plan.Tables {
		if preserved(c.plan.Preserve, info.Schema.Name) {
			c.refuse("table %s is both preserved and restored; exclude it from the source, or remove it from preserve", info.Schema.Name)
		}
	}
	return nil
}
