package postgres

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// Beside gives what is made beside a site names of its own, and knows which names
// it gets in the end. A nil Beside leaves all names as they are.
type Beside struct {
	Site    Site     // of the tables that are made
	Renames []Rename // what was named so far, in that order
	old     string   // prefix of what is put out of the way
	olds    int
}

// Rename is an object that changes its name.
type Rename struct {
	Kind     byte // as in Object
	From, To string
}

// Beside begins a place beside the site that no other run has.
func (s Site) Beside() *Beside {
	made, old := s.Scratch()
	run := strings.ToLower(rand.Text()[:8])
	return &Beside{Site: Site{s.Schema, made + run + "_"}, old: old + run}
}

// name returns the name of an object for now.
func (b *Beside) name(kind byte, final string) string {
	if b == nil {
		return final
	}
	now := fmt.Sprintf("%s$%d", strings.TrimSuffix(b.Site.Prefix, "_"), len(b.Renames)+1)
	b.Renames = append(b.Renames, Rename{kind, now, final})
	return now
}

// Old returns how an object is put out of the way.
func (b *Beside) Old(o Object) Rename {
	b.olds++
	return Rename{o.Kind, o.Name, fmt.Sprintf("%s$%d", b.old, b.olds)}
}

// notNull names a NOT NULL constraint as the server would if the table had its
// final name. Only PostgreSQL 18 keeps the name.
func (b *Beside) notNull(table, column string) string {
	name := table + "_" + column + "_not_null"
	if b == nil || len(name) > maxName {
		return ""
	}
	return " CONSTRAINT " + Ident(name)
}

// tableName returns the whole name of a table for now.
func (b *Builder) tableName(table string) string {
	final := b.Names.site.Full(table)
	if b.Beside == nil {
		return final
	}
	now := b.Beside.Site.Full(table)
	b.Beside.Renames = append(b.Beside.Renames, Rename{'r', now, final})
	return now
}
