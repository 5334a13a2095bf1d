package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

func (i *inspection) columns(ctx context.Context) error {
	srs := "SRS_ID"
	if i.MariaDB {
		srs = "NULL"
	}
	var full, name, columnType, collation, extra, comment, nullable string
	var def *string
	var srid *uint32
	return i.each(ctx, func() {
		t := i.byName[full]
		if t == nil {
			return
		}
		if strings.Contains(extra, "GENERATED") && !strings.Contains(extra, "DEFAULT_GENERATED") {
			i.loss(stage.LossColumn, t.Name, name, "a generated column")
			return
		}
		native, err := parseNative(columnType)
		if err != nil {
			i.loss(stage.LossColumn, t.Name, name, fmt.Sprintf("unknown type %.100q: %v", columnType, err))
			return
		}
		c := schema.Column{Name: name, Type: ParseType(columnType), Native: native.String(), Nullable: nullable == "YES", Collation: collation, Comment: comment}
		if srid != nil {
			c.Native += fmt.Sprintf(" srid %d", *srid)
		}
		if def != nil {
			c.Default = i.readDefault(&c, *def, extra)
		}
		if strings.Contains(extra, "auto_increment") {
			next := uint64(1)
			if t.Sequence != nil {
				next = max(next, t.Sequence.Next)
			}
			t.Sequence = &schema.Sequence{Column: name, Next: next}
		}
		lower := strings.ToLower(extra)
		c.OnUpdate = strings.Contains(lower, "on update current_timestamp")
		if strings.Contains(lower, "invisible") {
			i.loss(stage.LossColumn, t.Name, name, "is INVISIBLE; its values are transferred, and it becomes visible")
		}
		t.Columns = append(t.Columns, c)
	}, `SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, COALESCE(COLLATION_NAME,''), COALESCE(EXTRA,''), COALESCE(COLUMN_COMMENT,''), IS_NULLABLE, COLUMN_DEFAULT, `+srs+`
		FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION`,
		&full, &name, &columnType, &collation, &extra, &comment, &nullable, &def, &srid)
}

// constraints finds foreign keys and checks. MariaDB's JSON type is LONGTEXT with the
// check json_valid(column), which makes the column JSON.
func (i *inspection) constraints(ctx context.Context) error {
	var full, name, clause, refers string
	err := i.each(ctx, func() {
		if t := i.byName[full]; t != nil {
			i.loss(stage.LossConstraint, t.Name, name, "a foreign key to "+refers)
		}
	}, `SELECT TABLE_NAME, CONSTRAINT_NAME, COALESCE(REFERENCED_TABLE_NAME,'') FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()`, &full, &name, &refers)
	if err != nil {
		return err
	}
	query := `SELECT c.TABLE_NAME, c.CONSTRAINT_NAME, c.CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS c WHERE c.CONSTRAINT_SCHEMA = DATABASE()`
	if !i.MariaDB {
		query = `SELECT t.TABLE_NAME, c.CONSTRAINT_NAME, c.CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS c
			JOIN information_schema.TABLE_CONSTRAINTS t ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME AND t.CONSTRAINT_TYPE = 'CHECK'
			WHERE c.CONSTRAINT_SCHEMA = DATABASE()`
	}
	return i.each(ctx, func() {
		t := i.byName[full]
		if t == nil {
			return
		}
		at := -1
		if i.MariaDB {
			at = slices.IndexFunc(t.Columns, func(c schema.Column) bool { return clause == "json_valid("+Ident(c.Name)+")" })
		}
		if at >= 0 && t.Columns[at].Native == "longtext" {
			t.Columns[at].Type = schema.Type{Kind: schema.JSON}
			return
		}
		i.loss(stage.LossConstraint, t.Name, name, "CHECK ("+clause+")")
	}, query, &full, &name, &clause)
}

// objects finds the views, triggers, routines and events that belong to the site's
// tables or have its prefix; other routines and events are only noted.
func (i *inspection) objects(ctx context.Context) error {
	var name, kind, on string
	err := i.each(ctx, func() {
		if t := i.byName[on]; t != nil {
			i.loss(stage.LossTrigger, t.Name, name, "a trigger")
		}
	}, `SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = DATABASE()`, &name, &on)
	if err != nil {
		return err
	}
	var others []string
	err = i.each(ctx, func() {
		if short, ok := i.mine(name); ok && i.prefix != "" {
			i.loss(stage.LossRoutine, short, "", "a "+strings.ToLower(kind))
			return
		}
		others = append(others, strings.ToLower(kind)+" "+name)
	}, `SELECT ROUTINE_NAME, ROUTINE_TYPE FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()
		UNION ALL SELECT EVENT_NAME, 'EVENT' FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()`, &name, &kind)
	if err == nil && len(others) > 0 {
		slices.Sort(others)
		i.note("", "routines and events of the database are not transferred: "+someOf(others))
	}
	return err
}
