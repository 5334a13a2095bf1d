package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// preserved reports whether a table stays, whatever becomes of the others.
func preserved(patterns []string, table string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return postgres.Matches(p, table) })
}

// list finds what is replaced.
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

// preserve says what stays, and refuses tables that come under such a name.
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
			c.notes = append(c.notes, stage.Note{Path: stage.DB + "/" + r.Name, Text: "preserved: it stays as it is"})
		}
		if !found {
			c.notes = append(c.notes, stage.Note{Path: stage.DB, Text: fmt.Sprintf("preserve: %q matches no table of the target", pattern)})
		}
	}
	for _, info := range c.plan.Tables {
		if preserved(c.plan.Preserve, info.Schema.Name) {
			c.refuse("table %s is to be preserved and to be restored: exclude it from the source, or take it out of preserve", info.Schema.Name)
		}
	}
	return nil
}
