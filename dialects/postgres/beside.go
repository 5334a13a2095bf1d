package postgres

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// Beside gives temporary names to objects created beside a site, and records their
// final names. A nil Beside leaves all names unchanged.
type Beside struct {
	Site    Site     // of the new tables
	Renames []Rename // objects named so far, in order
	old     string   // prefix of renamed old objects
	olds    int
}

// Rename is the renaming of an object.
type Rename struct {
	Kind     byte // as in Object
	From, To string
}

// Beside returns a Beside with names that no other run uses.
func (s Site) Beside() *Beside {
	made, old := s.Scratch()
	run := strings.ToLower(rand.Text()[:8])
	return &Beside{Site: Site{s.Schema, made + run + "_"}, old: old + run}
}

// name returns the temporary name of an object.
func (b *Beside) name(kind byte, final string) string {
	if b == nil {
		return final
	}
	now := fmt.Sprintf("%s$%d", strings.TrimSuffix(b.Site.Prefix, "_"), len(b.Renames)+1)
	b.Renames = append(b.Renames, Rename{kind, now, final})
	return now
}

// Old returns how an old object is renamed out of the way.
func (b *Beside) Old(o Object) Rename {
	b.olds++
	return Rename{o.Kind, o.Name, fmt.Sprintf("%s$%d", b.old, b.olds)}
}

// notNull names a NOT NULL constraint as the server would if the table had its final
// name. Only PostgreSQL 18 stores the name.
func (b *Beside) notNull(table, column string) string {
	if b == nil {
		return ""
	}
	return " CONSTRAINT " + Ident(notNullName(table, column))
}

// notNullName shortens the longer of the two names first, as the server does.
func notNullName(table, column string) string {
	const label = "_not_null"
	t, c := len(table), len(column)
	for t+c > maxName-len("_")-len(label) {
		if t > c {
			t--
		} else {
			c--
		}
	}
	return cut(table, t) + "_" + cut(column, c) + label
}

// tableName returns the full temporary name of a table.
func (b *Builder) tableName(table string) string {
	final := b.Names.site.Full(table)
	if b.Beside == nil {
		return final
	}
	now := b.Beside.Site.Full(table)
	b.Beside.Renames = append(b.Beside.Renames, Rename{'r', now, final})
	return now
}
