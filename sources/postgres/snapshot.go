package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// holder is the session that holds the snapshot and the locks on all tables.
type holder struct {
	config   Config
	conn     *postgres.Conn
	listing  *postgres.Listing
	notes    []stage.Note
	snapshot string
	selected selection.Selection
	excluded []selection.Excluded // tables excluded by the selection

	mu sync.Mutex // guards conn after Plan
}

// hold lists the site's tables, locks them, and only then takes the snapshot, so that
// the snapshot matches the structure that is read. If tables appear or vanish between
// listing and locking, it starts over.
func hold(ctx context.Context, config Config, selected selection.Selection) (*holder, error) {
	conn, err := config.Open(ctx)
	if err != nil {
		return nil, err
	}
	h := &holder{config: config, conn: conn, selected: selected}
	const attempts = 5
	for try := 1; ; try++ {
		err = h.attempt(ctx)
		if err == nil {
			return h, nil
		}
		if try == attempts || !errors.Is(err, errMoved) && !postgres.Gone(err) {
			return nil, errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
		}
		if _, err := conn.Exec(ctx, "ROLLBACK"); err != nil {
			return nil, errors.Join(conn.Explain(err, "starting over"), conn.Close(context.WithoutCancel(ctx)))
		}
	}
}

var errMoved = errors.New("tables are constantly being created or dropped; try again when no upgrade is running")

func (h *holder) attempt(ctx context.Context) error {
	before, err := h.list(ctx)
	if err != nil {
		return err
	}
	if _, err := h.conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return h.conn.Explain(err, "starting the snapshot")
	}
	if err := h.lock(ctx, before.Tables); err != nil {
		return err
	}
	if err := h.conn.QueryRow(ctx, "SELECT pg_export_snapshot()").Scan(&h.snapshot); err != nil {
		return h.conn.Explain(err, "exporting the snapshot")
	}
	if h.listing, err = h.list(ctx); err != nil {
		return err
	}
	if !slices.Equal(before.Tables, h.listing.Tables) {
		return fmt.Errorf("%s: %w", h.conn.Address, errMoved)
	}
	return nil
}

// sharedSnapshot is what another process needs to read the same snapshot.
type sharedSnapshot struct {
	Snapshot  string              `json:"snapshot"`
	Selection selection.Selection `json:"selection"`
}

func (h *holder) session() (stage.Session, error) {
	return json.Marshal(sharedSnapshot{h.snapshot, h.selected})
}

// joinHolder returns a holder of a snapshot that another process exported. Its own
// session uses that snapshot too, and also locks the tables.
func joinHolder(ctx context.Context, config Config, session stage.Session) (*holder, error) {
	var s sharedSnapshot
	if err := json.Unmarshal(session, &s); err != nil {
		return nil, fmt.Errorf("the session to join does not belong to this source: %w", err)
	}
	h := &holder{config: config, snapshot: s.Snapshot, selected: s.Selection}
	conn, err := h.join(ctx)
	if err != nil {
		return nil, err
	}
	h.conn = conn
	if h.listing, err = h.list(ctx); err == nil {
		err = h.lock(ctx, h.listing.Tables)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	return h, nil
}

// list returns the tables to read.
func (h *holder) list(ctx context.Context) (*postgres.Listing, error) {
	l, err := h.conn.List(ctx)
	if err != nil {
		return nil, err
	}
	site := h.conn.Site
	if l.Unfinished {
		return nil, failure.New(failure.Refused, "%s: table %s marks a restore into this site as unfinished or not proven; restore it again with replace: true",
			h.conn.Address, site.Table(postgres.Marker))
	}
	h.notes = l.Notes
	note, err := moodle.CheckPrefix(l.Names, site.Prefix)
	if err != nil {
		return nil, fmt.Errorf("%s: schema %s: %w", h.conn.Address, site.Schema, err)
	}
	if note != "" {
		h.notes = append(h.notes, stage.Note{Path: stage.DB, Text: note})
	}
	h.excluded = nil
	l.Tables = slices.DeleteFunc(l.Tables, func(r postgres.Relation) bool {
		pattern, ok := h.selected.ExcludesTable(r.Name)
		if ok {
			h.excluded = append(h.excluded, selection.Excluded{Path: stage.DB + "/" + r.Name, Pattern: pattern})
		}
		return ok
	})
	if err := h.refuseDenied(l); err != nil {
		return nil, err
	}
	if len(l.Tables) == 0 && len(h.excluded) > 0 {
		return nil, failure.New(failure.Refused, "%s: the selection excludes all tables of the site in schema %s; remove the source instead", h.conn.Address, site.Schema)
	}
	if len(l.Tables) == 0 {
		return nil, failure.New(failure.Refused, "%s: schema %s has no readable table with prefix %q%s; check schema and prefix", h.conn.Address, site.Schema, site.Prefix, hints(h.notes))
	}
	return l, nil
}

func (h *holder) refuseDenied(l *postgres.Listing) error {
	var denied []string
	for _, t := range l.Tables {
		if t.Denied {
			denied = append(denied, h.conn.Site.Table(t.Name))
		}
	}
	if denied == nil {
		return nil
	}
	return failure.New(failure.Refused, "%s: the user may not read %d tables: %s; GRANT SELECT ON ALL TABLES IN SCHEMA %s to it, or exclude them",
		h.conn.Address, len(denied), postgres.Abridged(denied), postgres.Ident(h.conn.Site.Schema))
}

// hints lists what exists instead of the site's tables.
func hints(notes []stage.Note) string {
	var texts []string
	for _, n := range notes {
		texts = append(texts, n.Text)
	}
	if texts == nil {
		return ""
	}
	return " (" + strings.Join(texts, "; ") + ")"
}

// lock prevents the tables from being altered or dropped. A statement that only takes
// locks does not yet take the transaction's snapshot.
func (h *holder) lock(ctx context.Context, tables []postgres.Relation) error {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = h.conn.Site.Table(t.Name)
		if t.Kind == 'r' {
			names[i] = "ONLY " + names[i]
		}
	}
	if _, err := h.conn.Exec(ctx, "LOCK TABLE "+strings.Join(names, ", ")+" IN ACCESS SHARE MODE"); err != nil {
		err = h.conn.Explain(err, "locking the site's tables against changes of their structure (the user needs SELECT on each)")
		if postgres.Denied(err) || postgres.Code(err) == "55P03" {
			return failure.Wrap(failure.Refused, err)
		}
		return err
	}
	return nil
}

// join opens a session that uses the holder's snapshot.
func (h *holder) join(ctx context.Context) (*postgres.Conn, error) {
	conn, err := h.config.Open(ctx)
	if err != nil {
		return nil, err
	}
	if _, err = conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err == nil {
		_, err = conn.Exec(ctx, "SET TRANSACTION SNAPSHOT "+postgres.Literal(h.snapshot))
	}
	if err != nil {
		err = conn.Explain(err, "sharing the snapshot %s", h.snapshot)
		return nil, errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	return conn, nil
}

// alive checks that the locks are still held: without them a TRUNCATE, which
// snapshots do not hide, could have emptied a table.
func (h *holder) alive(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	err := h.conn.Ping(ctx)
	if postgres.Lost(err) { // permanent: no other session can take the snapshot again
		return fmt.Errorf("%s: the session that holds the snapshot and the locks on all tables was lost (server restart, administrator, timeout of a pooler or firewall); run again: %w", h.conn.Address, err)
	}
	if err != nil {
		return failure.Wrap(failure.Of(err), h.conn.Explain(err, "the session that holds the snapshot and the locks on all tables"))
	}
	return nil
}
