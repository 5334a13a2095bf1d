package mysql

import (
	"context"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

var _ stage.Decider = (*sink)(nil)

// publication is the comment that the table with the receipts gets. The statement that
// exchanges the sites renames this table, too, so its name tells whether that was executed.
func publication(run string) string {
	return "Restored by run " + run + "; the end of the run drops this table"
}

// Expose names the run in the comment of the table with the receipts.
func (s *sink) Expose(ctx context.Context, run string) error {
	if s.plan.Replace != stage.ReplaceSwap {
		return nil
	}
	_, err := s.server.ExecContext(ctx, "ALTER TABLE "+mysql.Ident(s.receipts)+" COMMENT = "+mysql.Literal(publication(run)))
	if err != nil {
		return fmt.Errorf("%s: recording the run: %w", s.server.Address, err)
	}
	s.exposed = true
	return nil
}

// Published reports whether the table that names the run has the name that it gets with the
// exchange.
func (s *sink) Published(ctx context.Context, run string) (bool, error) {
	if err := s.open(ctx); err != nil {
		return false, err
	}
	begins := s.cfg.Prefix + mysql.Outgoing
	var found int
	err := s.server.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_COMMENT = ? AND LEFT(TABLE_NAME, ?) = ?",
		publication(run), len([]rune(begins)), begins).Scan(&found)
	if err != nil {
		return false, fmt.Errorf("%s: checking whether the tables were exchanged: %w", s.server.Address, err)
	}
	return found > 0, nil
}

// Settle drops the table that names the run, and whatever else is beside the site if that
// run has died.
func (s *sink) Settle(ctx context.Context) error {
	if s.exposed {
		if s.exchange != nil {
			s.left = errors.Join(s.left, s.drop(ctx, nil, []string{s.exchange.last()}), s.unlock(ctx))
		}
		return nil
	}
	if s.plan != nil { // in place: nothing was exposed
		return nil
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	st, err := s.server.Inspect(ctx, s.cfg.Prefix)
	if err == nil {
		err = s.drop(ctx, st.LeftoverViews, st.Leftovers)
	}
	return errors.Join(err, s.unlock(ctx))
}
