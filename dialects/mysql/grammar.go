package mysql

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/dialects/sqltext"
)

// nativeType is a parsed type of this dialect.
type nativeType struct {
	name       string   // in lower case
	numbers    []string // in its parentheses
	values     []string // of enum and set
	attributes string   // unsigned, zerofill
	compressed bool     // MariaDB's column compression
	srid       string   // MySQL's spatial reference system of the column
}

// typeNames lists the types of both engines. SERIAL is excluded: it implies a key and
// a default.
var typeNames = sqltext.Set(`tinyint smallint mediumint int integer bigint decimal numeric dec fixed float double real bit bool boolean
	char varchar tinytext text mediumtext longtext binary varbinary tinyblob blob mediumblob longblob enum set json
	date time datetime timestamp year uuid inet4 inet6 vector xmltype
	geometry point linestring polygon multipoint multilinestring multipolygon geometrycollection geomcollection`)

// compressedMark marks a compressed column in MariaDB's catalog.
const compressedMark = "/*M!100301 COMPRESSED*/"

// typeRemark matches the comments that servers add to types with values in an old
// on-disk format; new tables have the current format.
var typeRemark = regexp.MustCompile(`\s*/\*\s*(mariadb-5\.3|mysql-5\.6|5\.5 binary format|old)\s*\*/$`)

// parseNative parses a type: NAME[(N[,M])] [unsigned] [zerofill] [srid N], or enum
// and set with their values.
func parseNative(text string) (n nativeType, err error) {
	text = typeRemark.ReplaceAllString(text, "")
	if before, ok := strings.CutSuffix(text, compressedMark); ok {
		text, n.compressed = before, true
	}
	err = grammar.Whole(text, nil, func(p *sqltext.Parser) error {
		name := p.Take()
		if n.name = strings.ToLower(name.Text); name.Kind != sqltext.Word || !typeNames[n.name] {
			return fmt.Errorf("unknown type %.60q", name.Text)
		}
		if p.Peek().IsSymbol("(") {
			if err := p.List(func() error { return n.argument(p.Take()) }); err != nil {
				return err
			}
		}
		for _, attribute := range []string{"unsigned", "zerofill"} {
			if p.Accept(attribute) {
				n.attributes += " " + attribute
			}
		}
		if p.Accept("srid") {
			t := p.Take()
			n.srid = t.Text
			return digits(t)
		}
		return nil
	})
	return n, err
}

// argument reads one argument in the parentheses of a type.
func (n *nativeType) argument(t sqltext.Token) error {
	if n.name != "enum" && n.name != "set" {
		n.numbers = append(n.numbers, t.Text)
		return digits(t)
	}
	value, rest, ok := unquote(t.Raw)
	if t.Kind != sqltext.Text || t.Prefix != "" || !ok || rest != "" {
		return fmt.Errorf("%.60q is not a value of type %s", t.Text, n.name)
	}
	n.values = append(n.values, value)
	return nil
}

func digits(t sqltext.Token) error {
	if _, err := strconv.ParseUint(t.Text, 10, 32); t.Kind != sqltext.Number || err != nil {
		return fmt.Errorf("%.60q is not a length", t.Text)
	}
	return nil
}

// String spells the type for a server.
func (n *nativeType) String() string {
	s := n.name
	arguments := n.numbers
	for _, v := range n.values {
		arguments = append(arguments, Literal(v))
	}
	if len(arguments) > 0 {
		s += "(" + strings.Join(arguments, ",") + ")"
	}
	s += n.attributes
	if n.compressed {
		s += " " + compressedMark
	}
	if n.srid != "" {
		s += " srid " + n.srid
	}
	return s
}

// refuseWords returns an error for names, comments, types and options of a table that
// the grammar does not allow.
func refuseWords(t *schema.Table) error {
	if err := sqltext.Name(t.Name); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	if err := sqltext.Value(t.Comment); err != nil {
		return fmt.Errorf("comment: %w", err)
	}
	if err := refuseOptions(t.Options); err != nil {
		return err
	}
	for k := range t.Columns {
		c := &t.Columns[k]
		if err := sqltext.Name(c.Name); err != nil {
			return fmt.Errorf("name of column %.100q: %w", c.Name, err)
		}
		if err := sqltext.Value(c.Comment); err != nil {
			return fmt.Errorf("column %.100q: comment: %w", c.Name, err)
		}
		if c.Native == "" {
			return fmt.Errorf("column %s has no MySQL type; the transform typemap must come first", c.Name)
		}
		if _, err := parseNative(c.Native); err != nil {
			return fmt.Errorf("column %.100q: type %.100q: %w", c.Name, c.Native, err)
		}
	}
	return nil
}

// tableOption matches the table options that are kept.
var tableOption = regexp.MustCompile(`^(ROW_FORMAT=(DEFAULT|DYNAMIC|COMPRESSED|REDUNDANT|COMPACT|FIXED|PAGE)|KEY_BLOCK_SIZE=[0-9]{1,5})$`)

// refuseOptions returns an error for unknown table options.
func refuseOptions(options string) error {
	for option := range strings.FieldsSeq(options) {
		if !tableOption.MatchString(option) {
			return fmt.Errorf("table option %.60q is not supported", option)
		}
	}
	return nil
}

// timestampDefault matches CURRENT_TIMESTAMP as these engines accept it without
// parentheses.
var timestampDefault = regexp.MustCompile(`(?i)^CURRENT_TIMESTAMP(\([0-6]?\))?$`)

// refuseDefault returns an error for a default that is not a literal of its column or
// an allowed expression.
func refuseDefault(t *schema.Table, c *schema.Column) error {
	d := c.Default
	switch {
	case d == nil:
		return nil
	case d.Expr && timestampDefault.MatchString(d.Value):
		return nil
	case d.Expr && !utf8.ValidString(d.Value):
		return errors.New("not valid UTF-8")
	case d.Expr:
		return grammar.Whole(d.Value, columnsOf(t), (*sqltext.Parser).Expression)
	case c.Type.Kind == schema.Bit && (d.Value == "" || strings.Trim(d.Value, "01") != ""):
		return fmt.Errorf("%.60q is not a string of bits", d.Value)
	case c.Type.Kind == schema.Binary && !hexLiteral.MatchString(d.Value):
		return fmt.Errorf(`%.60q is not \x with hex digits`, d.Value)
	case hasCharset(c.Native): // NUL is valid in text; Literal writes it as \0
		return sqltext.Value(strings.ReplaceAll(d.Value, "\x00", ""))
	}
	return sqltext.Value(d.Value)
}

var hexLiteral = regexp.MustCompile(`^\\x([0-9a-fA-F]{2})*$`)

// refuseIndexText returns an error for an index definition that is not a
// parenthesised list of columns and allowed expressions.
func refuseIndexText(t *schema.Table, native string) error {
	return grammar.Whole(native, columnsOf(t), func(p *sqltext.Parser) error {
		return p.List(func() error {
			var err error
			if p.Peek().IsSymbol("(") {
				err = p.Operand()
			} else if err = p.Column(); err == nil && p.Peek().IsSymbol("(") {
				err = p.List(func() error { return digits(p.Take()) })
			}
			if err == nil && !p.Accept("DESC") {
				p.Accept("ASC")
			}
			return err
		})
	})
}

func columnsOf(t *schema.Table) func(string) bool {
	return func(name string) bool {
		for k := range t.Columns {
			if strings.EqualFold(t.Columns[k].Name, name) {
				return true
			}
		}
		return false
	}
}
