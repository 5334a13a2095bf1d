package mysql

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

// checkRights refuses a user who may not read the whole database, to whom the
// server doesn't show the tables that it may not read.
func (s *source) checkRights(ctx context.Context) error {
	// The server looks at the right before it looks for the table.
	table := mysql.Ident(s.cfg.Prefix + mysql.Marker + "_" + rand.Text()[:8])
	_, err := s.server.ExecContext(ctx, "SELECT 1 FROM "+table)
	switch {
	case mysql.Denied(err):
		return failure.New(failure.Refused, "%s: the user has no right to read the whole database, and tables that it may not read would be silently omitted; GRANT SELECT ON %s.* to it", s.server.Address, mysql.Ident(s.server.Database))
	case err != nil && mysql.Number(err) == 0:
		return fmt.Errorf("%s: trying the right SELECT: %w", s.server.Address, err)
	}
	return nil
}

// blind notes what the server doesn't show to the user, so that it can't be listed as lost.
func (s *source) blind(ctx context.Context) ([]stage.Note, error) {
	rights, err := s.server.Rights(ctx)
	if err != nil {
		return nil, err
	}
	var missing, unseen []string
	for _, of := range []struct {
		objects string
		any     []string // the first is the one to give
	}{
		{"triggers", []string{"TRIGGER"}},
		{"events", []string{"EVENT"}},
		{"routines", []string{"EXECUTE", "SHOW_ROUTINE", "ALTER ROUTINE", "CREATE ROUTINE"}},
	} {
		if !rights.Has(of.any...) {
			missing = append(missing, of.any[0])
			unseen = append(unseen, of.objects)
		}
	}
	if missing == nil {
		return nil, nil
	}
	return []stage.Note{{Path: stage.DB, Text: fmt.Sprintf("the user can't see %s of the database: if there are any, they are not carried and not listed as lost; to have them listed GRANT %s ON %s.* to it",
		strings.Join(unseen, ", "), strings.Join(missing, ", "), mysql.Ident(s.server.Database))}}, nil
}
