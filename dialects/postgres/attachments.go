package postgres

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
)

type attachment struct {
	Table uint32
	Kind  string // c, f, x, p, u: pg_constraint.contype; t trigger; r rule
	Name  string
	Text  string
}

// attachments reports what belongs to the tables but is not transferred. Moodle
// creates none of it.
func (r *reading) attachments(ctx context.Context) error {
	// A key WITHOUT OVERLAPS (PostgreSQL 18) has an exclusion index.
	found, err := query[attachment](ctx, r.Conn, `
		SELECT conrelid AS tab, contype::text, conname::text AS name, pg_get_constraintdef(oid)
			FROM pg_constraint WHERE conrelid = ANY ($1::oid[]) AND conparentid = 0 AND (contype IN ('c', 'f', 'x')
				OR contype IN ('p', 'u') AND EXISTS (SELECT FROM pg_index i WHERE i.indexrelid = conindid AND i.indisexclusion))
		UNION ALL SELECT tgrelid, 't', tgname::text, '' FROM pg_trigger WHERE tgrelid = ANY ($1::oid[]) AND NOT tgisinternal
		UNION ALL SELECT ev_class, 'r', rulename::text, '' FROM pg_rewrite WHERE ev_class = ANY ($1::oid[]) AND rulename <> '_RETURN'
		ORDER BY tab, name`, r.oids)
	if err != nil {
		return r.Explain(err, "reading constraints and triggers")
	}
	for _, a := range found {
		t := r.byOID[a.Table]
		if t == nil {
			continue
		}
		switch a.Kind {
		case "t":
			r.lose(stage.LossTrigger, t.Name, "trigger "+a.Name, "triggers are not transferred")
		case "r":
			r.lose(stage.LossTrigger, t.Name, "rule "+a.Name, "rules are not transferred")
		case "x":
			r.lose(stage.LossConstraint, t.Name, "constraint "+a.Name, "exclusion constraints are not transferred: "+a.Text)
		case "p", "u":
			r.lose(stage.LossConstraint, t.Name, "constraint "+a.Name, "keys WITHOUT OVERLAPS are not transferred: "+a.Text)
		case "f":
			r.lose(stage.LossConstraint, t.Name, "constraint "+a.Name, "foreign keys are not transferred: "+a.Text)
		default:
			r.lose(stage.LossConstraint, t.Name, "constraint "+a.Name, "checks are not transferred: "+a.Text)
		}
	}
	return nil
}

type routine struct {
	Name string
	Own  bool // its name begins with the site's prefix
}

// routines reports user-defined functions and procedures in the site's schema.
func (r *reading) routines(ctx context.Context) error {
	found, err := query[routine](ctx, r.Conn, `
		SELECT p.oid::regprocedure::text AS name, starts_with(p.proname::text, $2)
		FROM pg_proc p
		WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
		ORDER BY name`, r.Site.Schema, r.Site.Prefix)
	if err != nil {
		return r.Explain(err, "listing functions")
	}
	for _, f := range found {
		if f.Own && r.Site.Prefix != "" {
			r.Losses = append(r.Losses, stage.Loss{Kind: stage.LossRoutine, Path: stage.DB, Where: f.Name, Reason: "functions and procedures are not transferred", Count: 1})
		} else {
			r.Notes = append(r.Notes, stage.Note{Path: stage.DB, Text: "function " + f.Name + " of the schema is not transferred"})
		}
	}
	return nil
}

// others reports relations with the site's prefix that are not tables. A view's rows
// are rows of tables; those of a foreign table are on another server.
func (r *reading) others() {
	for _, o := range r.listing.Others {
		switch o.Kind {
		case 'v':
			r.lose(stage.LossView, o.Name, "", "views are not transferred")
		case 'm':
			r.lose(stage.LossView, o.Name, "", "materialized views are not transferred")
		case 'f':
			r.lose(stage.LossTable, o.Name, "", "a foreign table: its rows are on another server and are not transferred")
		}
	}
}
