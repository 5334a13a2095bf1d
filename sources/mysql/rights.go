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

// checkRights refuses a user who may not read the whole database, because the server
// hides tables from such a user.
func (s *source) checkRights(ctx context.Context) error {
	// The server checks the privilege before it looks up the table.
	table := mysql.Ident(s.cfg.Prefix + mysql.Marker + "_" + rand.Text()[:8])
	_, err := s.server.ExecContext(ctx, "SELECT 1 FROM "+table)
	switch {
	case mysql.Denied(err):
		return failure.New(failure.Refused, "%s: the user may not read the whole database, so some tables would be silently omitted; GRANT SELECT ON %s.* to it", s.server.Address, mysql.Ident(s.server.Database))
	case err != nil && mysql.Number(err) == 0:
		return fmt.Errorf("%s: checking the privilege SELECT: %w", s.server.Address, err)
	}
	return nil
}

// blind notes what the server hides from the user, which therefore cannot be listed
// as lost.
func (s *source) blind(ctx context.Context) ([]stage.Note, error) {
	rights, err := s.server.Rights(ctx)
	if err != nil {
		return nil, err
	}
	var missing, unseen []string
	for _, of := range []struct {
		objects string
		any     []string // the first one is recommended
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
	return []stage.Note{{Path: stage.DB, Text: fmt.Sprintf("the user cannot see %s of the database; if there are any, they are neither transferred nor listed as lost; to list them GRANT %s ON %s.* to it",
		strings.Join(unseen, ", "), strings.Join(missing, ", "), mysql.Ident(s.server.Database))}}, nil
}
