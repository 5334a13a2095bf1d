package main

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
)

// personal lists the columns of Moodle's table user, in all versions, that identify a
// person.
func personal() []string {
	return []string{
		"username", "password", "secret", "idnumber", "firstname", "lastname", "middlename", "alternatename", "firstnamephonetic", "lastnamephonetic",
		"email", "phone1", "phone2", "institution", "department", "address", "city", "lastip", "description", "imagealt", "moodlenetprofile",
		"url", "icq", "skype", "aim", "yahoo", "msn",
	}
}

// masked describes what to mask in a table. By position, it has the maximum number of
// characters of the column, 0 for no limit, or skip to leave it unchanged.
type masked struct {
	length             []int
	username, password int // positions in the table user, otherwise skip
}

const skip = -1

// masked returns what to mask in a table; ok is false if nothing is masked.
func (t *transform) masked(table *schema.Table) (m masked, ok bool, err error) {
	m = masked{length: make([]int, len(table.Columns)), username: skip, password: skip}
	for i, c := range table.Columns {
		if m.length[i] = skip; !t.masks(table.Name, c.Name) {
			continue
		}
		if c.Type.Kind != schema.Char && c.Type.Kind != schema.Text {
			return m, false, failure.New(failure.Refused, "column %s.%s is %s, but only text can be masked", table.Name, c.Name, c.Type.Kind)
		}
		if c.Type.Length > 0 && c.Type.Length < leastMask {
			return m, false, failure.New(failure.Refused, "column %s.%s holds only %d characters; a unique mask needs %d", table.Name, c.Name, c.Type.Length, leastMask)
		}
		m.length[i], ok = c.Type.Length, true
		switch {
		case table.Name != "user":
		case c.Name == "username":
			m.username = i
		case c.Name == "password":
			m.password = i
		}
	}
	for _, named := range t.settings.Columns {
		if name, column, _ := strings.Cut(named, "."); name == table.Name && table.Column(column) == nil {
			return m, false, failure.New(failure.Refused, "columns lists %s, but the table only has %s", named, strings.Join(table.ColumnNames(), ", "))
		}
	}
	return m, ok, nil
}

func (t *transform) masks(table, column string) bool {
	return table == "user" && slices.Contains(personal(), column) || slices.Contains(t.settings.Columns, table+"."+column)
}
