package postgres

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/sqltext"
)

// grammar defines the expressions allowed in this dialect. Its functions compute a
// value from their arguments, the time or chance; none reads files or tables, waits,
// locks, sets anything, or expands small input into large output. Without a schema
// they belong to pg_catalog or to well-known extensions.
var grammar = &sqltext.Dialect{
	Quotes: `"`, Postgres: true,
	Literal:   func(prefix string) bool { return prefix == "b" || prefix == "x" },
	Operators: sqltext.Set("+ - * / % ^ = <> != < <= > >= || ~~ ~~* !~~ !~~* ~ ~* !~ !~* -> ->> #> #>> @> <@ ? ?| ?& && & | # << >> @@ -|- => ^@ <-> <#> <=>"),
	Unary:     sqltext.Set("+ - ~ NOT"),
	Words:     sqltext.Set("AND OR LIKE ILIKE IN BETWEEN ESCAPE"),
	Constants: sqltext.Set(`NULL TRUE FALSE CURRENT_TIMESTAMP CURRENT_DATE CURRENT_TIME LOCALTIME LOCALTIMESTAMP
		CURRENT_USER CURRENT_ROLE SESSION_USER USER CURRENT_CATALOG CURRENT_SCHEMA`),
	Functions: sqltext.Set(`abs age all any array_append array_cat array_length array_lower array_position array_prepend array_remove array_to_string
		array_upper ascii box bit_length btrim bpchar cardinality cbrt ceil ceiling char_length character_length chr circle clock_timestamp coalesce concat
		concat_ws convert_from convert_to current_database current_schema current_user date date_bin date_part date_trunc daterange decode degrees digest div
		encode exp extract factorial float4 float8 floor gcd gen_random_uuid gen_random_bytes get_bit get_byte greatest hashtext host initcap int2 int4 int8
		int4range int8range isfinite json_array_length json_build_array json_build_object json_extract_path json_extract_path_text jsonb_array_length
		jsonb_build_array jsonb_build_object jsonb_extract_path jsonb_extract_path_text jsonb_path_exists jsonb_path_query_array jsonb_path_query_first
		jsonb_strip_nulls jsonb_typeof json_typeof justify_days lcm least left length line ln localtime localtimestamp log lower lower_inc lower_inf lseg make_date
		make_interval make_time make_timestamp make_timestamptz masklen md5 mod multirange network nlevel normalize now nullif numeric numrange num_nonnulls
		num_nulls octet_length overlay path phraseto_tsquery pi plainto_tsquery point polygon position pow power quote_ident quote_literal radians random
		regexp_match regexp_replace regexp_substr replace reverse right round row rtrim ltrim session_user set_byte setweight sha224 sha256 sha384 sha512 sign
		some split_part sqrt st_geohash st_makepoint st_setsrid st_transform st_x st_y starts_with statement_timestamp string_to_array strip strpos substr substring
		text timeofday timestamp timestamptz timezone to_char to_date to_json to_jsonb to_number to_timestamp to_tsquery to_tsvector transaction_timestamp
		translate trim trunc tsrange tsquery_phrase tstzrange unaccent unistr upper upper_inc upper_inf uuid_generate_v1 uuid_generate_v1mc
		uuid_generate_v3 uuid_generate_v4 uuid_generate_v5 uuid_nil uuid_ns_dns uuid_ns_url uuidv4 uuidv7 varchar websearch_to_tsquery width_bucket xmlparse`),
	Type: nativeType,
}

// refuseNative returns an error for text that is not exactly one type.
func refuseNative(text string) error { return grammar.Whole(text, nil, nativeType) }

// nativeType parses a type as written by format_type and by the type map: a name,
// optionally with a schema, or one of SQL's multi-word types; lengths; array
// brackets.
func nativeType(p *sqltext.Parser) error {
	switch t := p.Peek(); {
	case p.AcceptAll("DOUBLE", "PRECISION"):
	case t.Is("CHARACTER"), t.Is("CHAR"), t.Is("BIT"):
		p.Take()
		p.Accept("VARYING")
	case t.Is("TIMESTAMP"), t.Is("TIME"):
		p.Take()
		if err := arguments(p); err != nil {
			return err
		}
		if !p.AcceptAll("WITHOUT", "TIME", "ZONE") {
			p.AcceptAll("WITH", "TIME", "ZONE")
		}
	case t.Is("INTERVAL"):
		p.Take()
		field(p)
		if p.Accept("TO") {
			field(p)
		}
	default:
		if err := p.Qualified(); err != nil {
			return err
		}
	}
	if err := arguments(p); err != nil {
		return err
	}
	for p.Accept("[") {
		if p.Peek().Kind == sqltext.Number {
			p.Take()
		}
		if err := p.Expect("]"); err != nil {
			return err
		}
	}
	return nil
}

func field(p *sqltext.Parser) {
	for _, name := range []string{"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"} {
		if p.Accept(name) {
			return
		}
	}
}

// arguments parses the optional parentheses of a type: (38,-2), (Point,4326).
func arguments(p *sqltext.Parser) error {
	if !p.Peek().IsSymbol("(") {
		return nil
	}
	return p.List(func() error {
		if p.Peek().Kind == sqltext.Word {
			p.Take()
			return nil
		}
		return p.Number()
	})
}

// Refusals returns why a table cannot be written: names, types, collations and
// options that the grammar does not allow.
func Refusals(t *schema.Table) []error {
	var reasons []error
	refuse := func(err error, format string, args ...any) {
		if err != nil {
			reasons = append(reasons, fmt.Errorf("table %.100q: %s: %w", t.Name, fmt.Sprintf(format, args...), err))
		}
	}
	refuse(sqltext.Name(t.Name), "name")
	refuse(sqltext.Value(t.Comment), "comment")
	refuse(refuseOptions(t.Options), "options")
	refuse(sqltext.Value(t.PrimaryKeyName), "name of the primary key")
	refuse(refuseKey(t), "primary key")
	for _, name := range t.PrimaryKey {
		if t.Column(name) == nil {
			refuse(fmt.Errorf("no column %.100q", name), "primary key")
		}
	}
	if s := t.Sequence; s != nil && t.Column(s.Column) == nil {
		refuse(fmt.Errorf("no column %.100q", s.Column), "sequence")
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		refuse(sqltext.Name(c.Name), "column %.100q", c.Name)
		refuse(sqltext.Value(c.Comment), "column %.100q: comment", c.Name)
		refuse(refuseCollation(c.Collation), "column %.100q: collation %.100q", c.Name, c.Collation)
		switch {
		case c.Type.Kind == schema.Enum && len(c.Type.Values) > 0: // its type is created under a quoted name
			refuse(sqltext.Value(c.Native+strings.Join(c.Type.Values, "")), "column %.100q: values", c.Name)
		case c.Native == "":
			reasons = append(reasons, fmt.Errorf("table %.100q: column %.100q: type %s has no PostgreSQL type; the transform typemap must come first", t.Name, c.Name, c.Type.Kind))
		default:
			refuse(refuseNative(c.Native), "column %.100q: type %.100q", c.Name, c.Native)
		}
	}
	return reasons
}

// Losses lists the defaults and indexes of a table that the grammar does not allow.
func Losses(t *schema.Table) []stage.Loss {
	var losses []stage.Loss
	for _, c := range t.Columns {
		if t.Sequence != nil && t.Sequence.Column == c.Name {
			continue
		}
		if err := refuseDefault(c.Default); err != nil {
			losses = append(losses, stage.LostDefault(t.Name, c.Name, fmt.Sprintf("the default %.100q is not supported: %v", c.Default.Value, err)))
		}
	}
	for _, x := range t.Indexes {
		if err := refuseIndex(t, &x); err != nil {
			losses = append(losses, stage.LostIndex(t.Name, x.Name, fmt.Sprintf("its definition %.100q is not supported: %v", x.Native, err)))
		}
	}
	return losses
}

// refuseCollation returns an error for text that is not one collation name.
func refuseCollation(name string) error {
	if name == "" {
		return nil
	}
	return grammar.Whole(name, nil, (*sqltext.Parser).Qualified)
}

// storageOptions matches what options returns.
var storageOptions = regexp.MustCompile(`^WITH \([a-z_][a-z0-9_]*='[A-Za-z0-9_.+-]*'(, [a-z_][a-z0-9_]*='[A-Za-z0-9_.+-]*')*\)$`)

// refuseOptions returns an error for anything but storage parameters.
func refuseOptions(text string) error {
	if text != "" && !storageOptions.MatchString(text) {
		return fmt.Errorf("%.100q is not a list of storage parameters", text)
	}
	return nil
}

// refuseDefault returns an error for a default that is not a literal or an allowed
// expression.
func refuseDefault(d *schema.Default) error {
	switch {
	case d == nil:
		return nil
	case d.Expr:
		return refuseExpression(d.Value)
	}
	return sqltext.Value(d.Value)
}

// refuseExpression returns an error for text that is not one allowed expression
// without columns.
func refuseExpression(text string) error {
	return grammar.Whole(text, nil, (*sqltext.Parser).Expression)
}

// refuseIndex returns an error for an index whose method or definition is not in the
// form of pg_get_indexdef with allowed expressions.
func refuseIndex(t *schema.Table, x *schema.Index) error {
	columns := func(name string) bool { return t.Column(name) != nil }
	if err := sqltext.Value(x.Name); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	if err := sqltext.Value(x.Comment); err != nil {
		return fmt.Errorf("comment: %w", err)
	}
	if err := refuseConstraint(x); err != nil {
		return err
	}
	if x.Native != "" {
		return grammar.Whole(x.Native, columns, indexText)
	}
	for _, c := range x.Columns {
		if !columns(c.Name) {
			return fmt.Errorf("no column %q", c.Name)
		}
		if err := sqltext.Value(c.Operators + c.TextSearch); err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	if err := refuseOptions(x.Options); err != nil {
		return err
	}
	if x.Method == "" {
		return nil
	}
	return grammar.Whole(x.Method, nil, func(p *sqltext.Parser) error {
		_, err := p.Identifier()
		return err
	})
}

// refuseKey returns an error for properties that a primary key of PostgreSQL cannot
// have.
func refuseKey(t *schema.Table) error {
	key := t.PrimaryKeyIndex
	if key == nil {
		return nil
	}
	if len(t.PrimaryKey) == 0 {
		return errors.New("the table has properties of a primary key, but no key")
	}
	for _, name := range key.Include {
		if t.Column(name) == nil {
			return fmt.Errorf("it includes column %.100q, which does not exist", name)
		}
	}
	if key.Timing != "" && !timings[" "+key.Timing] {
		return fmt.Errorf("unknown timing %.60q", key.Timing)
	}
	return errors.Join(refuseOptions(key.Options), sqltext.Value(key.Comment))
}

// timings lists what may follow the kind of a constraint.
var timings = map[string]bool{"": true, " DEFERRABLE": true, " DEFERRABLE INITIALLY DEFERRED": true}

// refuseConstraint returns an error for an unknown constraint, or one that cannot
// have the index.
func refuseConstraint(x *schema.Index) error {
	if x.Constraint == "" {
		return nil
	}
	if kind, ok := strings.CutPrefix(x.Constraint, "UNIQUE"); !ok || !timings[kind] {
		return fmt.Errorf("unknown constraint %.60q", x.Constraint)
	}
	if !x.Unique || x.Method != "" || slices.ContainsFunc(x.Columns, func(c schema.IndexColumn) bool { return c.Desc || c.Operators != "" || c.TextSearch != "" }) {
		return fmt.Errorf("the index cannot belong to a constraint %s", x.Constraint)
	}
	return nil
}

// indexText parses USING method (…) and everything that may follow.
func indexText(p *sqltext.Parser) error {
	if err := p.Expect("USING"); err != nil {
		return err
	}
	if _, err := p.Identifier(); err != nil {
		return err
	}
	if err := p.List(func() error { return indexElement(p) }); err != nil {
		return err
	}
	if p.Accept("INCLUDE") {
		if err := p.List(p.Column); err != nil {
			return err
		}
	}
	if p.Accept("NULLS") {
		p.Accept("NOT")
		if err := p.Expect("DISTINCT"); err != nil {
			return err
		}
	}
	if p.Accept("WITH") {
		if err := p.List(func() error { return parameter(p) }); err != nil {
			return err
		}
	}
	if p.Accept("WHERE") {
		return p.Expression()
	}
	return nil
}

// indexElement parses a column, a call or a parenthesised expression, with collation,
// operator class and order.
func indexElement(p *sqltext.Parser) error {
	if err := p.Operand(); err != nil {
		return err
	}
	if p.Accept("COLLATE") {
		if err := p.Qualified(); err != nil {
			return err
		}
	}
	if t := p.Peek(); t.Kind == sqltext.QuotedName || t.Kind == sqltext.Word && !t.Is("ASC") && !t.Is("DESC") && !t.Is("NULLS") {
		if err := p.Qualified(); err != nil {
			return err
		}
		if p.Peek().IsSymbol("(") {
			if err := p.List(func() error { return parameter(p) }); err != nil {
				return err
			}
		}
	}
	if !p.Accept("DESC") {
		p.Accept("ASC")
	}
	if p.Accept("NULLS") && !p.Accept("FIRST") {
		return p.Expect("LAST")
	}
	return nil
}

// parameter parses name=value.
func parameter(p *sqltext.Parser) error {
	if _, err := p.Identifier(); err != nil {
		return err
	}
	if err := p.Expect("="); err != nil {
		return err
	}
	switch t := p.Peek(); {
	case t.Kind == sqltext.Text && t.Prefix == "", t.Kind == sqltext.Word:
		p.Take()
		return nil
	}
	return p.Number()
}

// constant parses a literal or number written by pg_get_expr, optionally with
// parentheses or a cast. A cast to a type with a length is accepted only if it
// clearly does not change the value.
func constant(expr string) (value string, ok bool) {
	err := grammar.Whole(expr, nil, func(p *sqltext.Parser) error {
		t := p.Peek()
		isText := t.Kind == sqltext.Text && (t.Prefix == "" || t.Prefix == "b")
		if isText {
			value = p.Take().Text
		} else if err := constantNumber(p, &value); err != nil {
			return err
		}
		if !p.Accept("::") {
			return nil
		}
		if cast := expr[strings.LastIndex(expr, "::")+2:]; strings.Contains(cast, "(") && !(isText && castKeeps(cast, value)) {
			return errors.New("the cast may change the value")
		}
		return nativeType(p)
	})
	return value, err == nil
}

var varyingCast = regexp.MustCompile(`^character varying\((\d+)\)$`)

// castKeeps reports whether a cast to a type with a length leaves a literal
// unchanged. The server writes an interval as the cast has left it.
func castKeeps(cast, value string) bool {
	if m := varyingCast.FindStringSubmatch(cast); m != nil {
		n, err := strconv.Atoi(m[1])
		return err == nil && utf8.RuneCountInString(value) <= n
	}
	return strings.HasPrefix(cast, "interval")
}

func constantNumber(p *sqltext.Parser, value *string) error {
	bracket := p.Accept("(")
	if p.Accept("-") {
		*value = "-"
	}
	if *value += p.Take().Text; !plainNumber.MatchString(*value) {
		return errors.New("not a constant")
	}
	if bracket {
		return p.Expect(")")
	}
	return nil
}

// methodName quotes the name of an index method.
func methodName(method string) string { return Ident(strings.Trim(method, `"`)) }
