package sqlite

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/dialects/sqltext"
)

// grammar defines the expressions allowed in this dialect. Its functions compute a
// value from their arguments, the time or chance; none loads code, reads files or
// expands small input into large output.
var grammar = &sqltext.Dialect{
	Quotes:    "\"`[",
	Literal:   func(prefix string) bool { return prefix == "x" },
	Operators: sqltext.Set("+ - * / % = == <> != < <= > >= || & | ~ << >> -> ->>"),
	Unary:     sqltext.Set("+ - ~ NOT"),
	Words:     sqltext.Set("AND OR LIKE GLOB IN BETWEEN ESCAPE"),
	Constants: sqltext.Set("NULL TRUE FALSE CURRENT_TIMESTAMP CURRENT_DATE CURRENT_TIME"),
	Functions: sqltext.Set(`abs acos asin atan atan2 ceil ceiling char coalesce concat concat_ws cos date datetime degrees exp floor glob hex ifnull iif
		if instr json json_array json_array_length json_extract json_object json_quote json_type json_valid julianday length like ln log log10 log2 lower
		ltrim max min mod nullif octet_length pi pow power radians random randomblob replace round rtrim sign sin sqrt strftime substr substring tan time
		timediff trim trunc typeof unhex unicode unixepoch upper`),
	Type: func(p *sqltext.Parser) error {
		for p.Peek().Kind == sqltext.Word {
			p.Take()
		}
		if !p.Peek().IsSymbol("(") {
			return nil
		}
		return p.List(p.Number)
	},
}

// typeWords are those of which a declared type is written as it is.
var typeWords = sqltext.Set(`ANY BIG BIGINT BIT BLOB BOOL BOOLEAN CHAR CHARACTER CLOB DATE DATETIME DEC DECIMAL DOUBLE FLOAT INT INT2 INT4 INT8 INTEGER JSON
	LONGBLOB LONGTEXT MEDIUMBLOB MEDIUMINT MEDIUMTEXT NATIVE NCHAR NUMBER NUMERIC NVARCHAR PRECISION REAL SMALLINT STRING TEXT TIME TIMESTAMP TINYBLOB
	TINYINT TINYTEXT UNSIGNED UUID VARCHAR VARYING YEAR
	BLOB_FIXED BIT_TEXT DATE_TEXT DATETIME_TEXT DECIMAL_TEXT ENUM_TEXT JSON_TEXT OTHER_TEXT SET_TEXT TIME_TEXT TIMESTAMP_TEXT UUID_TEXT YEAR_TEXT`)

var plainType = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*( [A-Za-z][A-Za-z0-9_]*)* ?(\([0-9]{1,9}(, ?[0-9]{1,9})?\))?$`)

// writtenType writes a declared type. SQLite takes any text for one and hands it
// back without the quotes that it stood in (sqlite.org, "CREATE TABLE", "Column
// Data Types"), so all but usual words are put in quotes: it stays a type.
func writtenType(native string) string {
	if plainType.MatchString(native) {
		words, _, _ := strings.Cut(native, "(")
		known := true
		for word := range strings.FieldsSeq(words) {
			known = known && typeWords[strings.ToUpper(word)]
		}
		if known {
			return native
		}
	}
	return Quote(native)
}

// refuse says why a table can't be written at all: names that can't be quoted,
// options that SQLite doesn't have.
func refuse(t *schema.Table) error {
	if err := sqltext.Name(t.Name); err != nil {
		return fmt.Errorf("its name %q: %w", t.Name, err)
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if err := sqltext.Value(c.Name); err != nil { // it may be empty in SQLite
			return fmt.Errorf("the name of column %q: %w", c.Name, err)
		}
		if err := sqltext.Value(c.Native); err != nil {
			return fmt.Errorf("the type of column %s: %w", c.Name, err)
		}
	}
	switch t.Options {
	case "", "STRICT", "WITHOUT ROWID", "WITHOUT ROWID, STRICT":
		return nil
	}
	if t.Dialect != Dialect {
		return nil // another engine's, which are not written
	}
	return fmt.Errorf("%.100q is not a table option of SQLite", t.Options)
}

// refuseExpression fails for a default that is not an allowed expression.
func refuseExpression(text string) error {
	return grammar.Whole(text, nil, (*sqltext.Parser).Expression)
}

// refuseConstant fails for the spelling of a default that is neither one name,
// which SQLite takes for a text there, nor an allowed expression.
func refuseConstant(text string) error {
	return grammar.Whole(text, nil, func(p *sqltext.Parser) error {
		switch p.Peek().Kind {
		case sqltext.QuotedName:
			p.Take()
			return nil
		case sqltext.Word:
			_, err := p.Identifier()
			return err
		}
		return p.Expression()
	})
}

// refuseIndexText fails for a definition of an index that is not a list of
// allowed expressions in brackets, perhaps with a condition.
func refuseIndexText(t *schema.Table, native string) error {
	columns := func(name string) bool {
		for i := range t.Columns {
			if strings.EqualFold(t.Columns[i].Name, name) {
				return true
			}
		}
		return false
	}
	return grammar.Whole(native, columns, func(p *sqltext.Parser) error {
		if err := p.List(func() error {
			err := p.Expression()
			if err == nil && !p.Accept("DESC") {
				p.Accept("ASC")
			}
			return err
		}); err != nil || !p.Accept("WHERE") {
			return err
		}
		return p.Expression()
	})
}
