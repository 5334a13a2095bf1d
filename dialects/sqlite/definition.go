package sqlite

import "strings"

// definition is what only the SQL of a CREATE TABLE says about a table.
type definition struct {
	columns []columnDefinition // in order
	checks  []string           // of the table and its columns, as written
}

type columnDefinition struct {
	remark        string // the first comment
	collation     string
	autoincrement bool
}

// parseDefinition parses the SQL of a table that SQLite has accepted. It skips SQL
// that it does not understand.
func parseDefinition(sql string) definition {
	var d definition
	list := tokens(sql)
	for len(list) > 0 && !isOther(list[0], "(") {
		list = list[1:]
	}
	depth, from := 0, 1
	for i, t := range list {
		switch {
		case isOther(t, "("):
			depth++
		case isOther(t, ")"):
			depth--
		}
		if depth == 1 && isOther(t, ",") || depth == 0 {
			d.add(sql, list[min(from, i):i])
			if from = i + 1; depth == 0 {
				break
			}
		}
	}
	return d
}

// add adds the part between two commas: a column or a table constraint.
func (d *definition) add(sql string, list []token) {
	var c columnDefinition
	var first *token
	depth := 0
	for i, t := range list {
		switch {
		case t.kind == remark:
			if c.remark == "" && first != nil {
				c.remark = strings.TrimSpace(t.text)
			}
			continue
		case isOther(t, "("):
			depth++
		case isOther(t, ")"):
			depth--
		case depth == 0 && t.is("AUTOINCREMENT"):
			c.autoincrement = true
		case depth == 0 && t.is("COLLATE") && i+1 < len(list):
			c.collation = list[i+1].text
		case depth == 0 && t.is("CHECK"):
			d.checks = append(d.checks, expression(sql, list[i:]))
		}
		if first == nil {
			first = &list[i]
		}
	}
	if first == nil {
		return
	}
	for _, keyword := range []string{"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"} {
		if first.is(keyword) {
			return
		}
	}
	d.columns = append(d.columns, c)
}

// expression returns the SQL from a keyword to the closing parenthesis after it.
func expression(sql string, list []token) string {
	depth := 0
	for _, t := range list {
		switch {
		case isOther(t, "("):
			depth++
		case isOther(t, ")"):
			if depth--; depth == 0 {
				return sql[list[0].start:t.end]
			}
		}
	}
	return sql[list[0].start:]
}

func isOther(t token, text string) bool { return t.kind == other && t.text == text }
