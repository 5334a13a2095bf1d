package postgres

import (
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/schema"
)

// Constants written by pg_get_expr become canonical text; anything else stays an
// expression.
func TestDefaults(t *testing.T) {
	text, number := schema.Type{Kind: schema.Char}, schema.Type{Kind: schema.Int}
	null := func(native string) *schema.Default { return &schema.Default{Value: "NULL", Expr: true, Native: native} }
	for _, c := range []struct {
		typ  schema.Type
		expr string
		want *schema.Default
	}{
		{text, "", nil},
		{text, "NULL::character varying", null("NULL::character varying")},
		{text, "NULL::character varying(5)", null("NULL::character varying(5)")},
		{number, "NULL::numeric(4,1)", null("NULL::numeric(4,1)")},
		{text, "'long'::character varying(2)", &schema.Default{Value: "'long'::character varying(2)", Expr: true}},
		{text, "'üö'::character varying(2)", &schema.Default{Value: "üö", Native: "'üö'::character varying(2)"}},
		{schema.Type{Kind: schema.Char, Length: 3, Fixed: true}, "'x  '::bpchar", &schema.Default{Value: "x", Native: "'x  '::bpchar"}},
		{schema.Type{Kind: schema.DateTime}, "'2001-02-03 04:05:06.5'::timestamp(0) without time zone", &schema.Default{Value: "'2001-02-03 04:05:06.5'::timestamp(0) without time zone", Expr: true}},
		{schema.Type{Kind: schema.Other}, "'00:00:01.235'::interval(3)", &schema.Default{Value: "00:00:01.235", Native: "'00:00:01.235'::interval(3)"}},
		{schema.Type{Kind: schema.Bit, Length: 4}, "'01'::bit(4)", &schema.Default{Value: "'01'::bit(4)", Expr: true}},
		{schema.Type{Kind: schema.Enum}, "'a'::mdl_mood", &schema.Default{Value: "a"}},
		{text, "''::character varying", &schema.Default{}},
		{text, "'it''s'::text", &schema.Default{Value: "it's", Native: "'it''s'::text"}},
		{text, "'it''s'::character varying", &schema.Default{Value: "it's"}},
		{schema.Type{Kind: schema.Text}, "'it''s'::text", &schema.Default{Value: "it's"}},
		{text, `E'a\\b''c'::text`, &schema.Default{Value: `a\b'c`, Native: `E'a\\b''c'::text`}},
		{schema.Type{Kind: schema.Enum}, "'a'::\"mdl_Mood's\"", &schema.Default{Value: "a"}},
		{text, `'a\'::character varying`, &schema.Default{Value: `a\`}},
		{text, `'a\b''c'::text`, &schema.Default{Value: `a\b'c`, Native: `'a\b''c'::text`}},
		{number, "1.26::numeric(10,1)", &schema.Default{Value: "1.26::numeric(10,1)", Expr: true}},
		{text, "'a'::text || 'b'::text", &schema.Default{Value: "'a'::text || 'b'::text", Expr: true}},
		{text, "upper('x'::text)", &schema.Default{Value: "upper('x'::text)", Expr: true}},
		{number, "0", &schema.Default{Value: "0"}},
		{number, "'-1'::integer", &schema.Default{Value: "-1", Native: "'-1'::integer"}},
		{number, "(-1)", &schema.Default{Value: "-1", Native: "(-1)"}},
		{number, "1 + 1", &schema.Default{Value: "1 + 1", Expr: true}},
		{number, "'-9223372036854775808'::bigint", &schema.Default{Value: "-9223372036854775808", Native: "'-9223372036854775808'::bigint"}},
		{schema.Type{Kind: schema.Decimal, Length: 10, Scale: 5}, "1.5", &schema.Default{Value: "1.50000"}},
		{schema.Type{Kind: schema.Decimal, Length: 10, Scale: 5}, "0.00000", &schema.Default{Value: "0.00000", Native: "0.00000"}},
		{schema.Type{Kind: schema.Decimal}, "1.5", &schema.Default{Value: "1.5"}},
		{schema.Type{Kind: schema.Float, Size: 8}, "'1e-07'::double precision", &schema.Default{Value: "1e-07", Native: "'1e-07'::double precision"}},
		{schema.Type{Kind: schema.Float, Size: 8}, "1234567", &schema.Default{Value: "1.234567e+06", Native: "1234567"}},
		{schema.Type{Kind: schema.Bool}, "true", &schema.Default{Value: "t"}},
		{schema.Type{Kind: schema.Binary}, `'\x00ff'::bytea`, &schema.Default{Value: `\x00ff`}},
		{schema.Type{Kind: schema.Bit, Length: 3}, `'101'::"bit"`, &schema.Default{Value: "101", Native: `'101'::"bit"`}},
		{schema.Type{Kind: schema.Bit, Length: 3}, `B'101'::"bit"`, &schema.Default{Value: "101", Native: `B'101'::"bit"`}},
		{schema.Type{Kind: schema.Timestamp}, "'2024-01-01 00:00:00+00'::timestamp with time zone", &schema.Default{Value: "2024-01-01 00:00:00"}},
		{schema.Type{Kind: schema.Timestamp}, "now()", &schema.Default{Value: "CURRENT_TIMESTAMP", Expr: true, Native: "now()"}},
		{schema.Type{Kind: schema.Date}, "CURRENT_DATE", &schema.Default{Value: "CURRENT_DATE", Expr: true}},
	} {
		got := defaultOf(c.expr, c.typ)
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: got %+v, want %+v", c.expr, got, c.want)
		}
	}
}

// A spelling is written only if it means the default; a forged one is not.
func TestSpellingsOfDefaultsAreChecked(t *testing.T) {
	number := schema.Type{Kind: schema.Decimal, Length: 10, Scale: 5}
	for _, native := range []string{"1.0", "1.00000", "'1'::numeric", "(1)"} {
		if got := defaultSQL(schema.Default{Value: "1.00000", Native: native}, number); got != native {
			t.Errorf("%s became %s", native, got)
		}
	}
	for _, native := range []string{"2", "1.0); DROP TABLE x; --", "'1'::\"x", "'1'::numeric\"", "'1'::numeric, x int", "1 + 0", "pg_sleep(9)", "'1'::\"a\"; --\""} {
		if got := defaultSQL(schema.Default{Value: "1.00000", Native: native}, number); got != "1" {
			t.Errorf("%s became %s", native, got)
		}
	}
}

// The same for text: no backslash hides the end of a literal, and a cast is one type.
func TestSpellingsOfTextAreChecked(t *testing.T) {
	for _, c := range []struct{ value, native string }{
		{`x\' CHECK (1 = 1) -- `, `'x\' CHECK (1 = 1) -- '`}, {`a'b`, `'a\'b'`}, {`a\'b`, `'a\'b'`}, {"a", "'a'::text PRIMARY KEY"}, {"a", "'a'::text CHECK"}, {"a", "E'a'"},
		{"1", "1::int4 REFERENCES x"}, {"1", "(1)::int4 PRIMARY KEY"}, {"a", "'a"}, {"a", `'a'::"x`}, {"a", "'a'::text::int4, evil int"},
	} {
		for _, kind := range []schema.Kind{schema.Text, schema.Int} {
			if got := defaultSQL(schema.Default{Value: c.value, Native: c.native}, schema.Type{Kind: kind}); got != Literal(c.value) && got != c.value {
				t.Errorf("%s became %s", c.native, got)
			}
		}
	}
	for _, d := range []schema.Default{{Value: "a", Native: "'a'::text"}, {Value: `a\`, Native: `'a\'`}, {Value: "it's", Native: "'it''s'::public.mood"}} {
		if got := defaultSQL(d, schema.Type{Kind: schema.Text}); got != d.Native {
			t.Errorf("%s became %s", d.Native, got)
		}
	}
}

func TestSequencesOfDefaults(t *testing.T) {
	for expr, want := range map[string]string{
		"nextval('mdl_a_id_seq'::regclass)":          "mdl_a_id_seq",
		"nextval('\"mdl_It''s\"'::regclass)":         `"mdl_It's"`,
		"nextval(('public.s'::text)::regclass)":      "public.s",
		"(nextval('s'::regclass))::integer":          "s",
		"(1000 + nextval('s'::regclass))":            "",
		"('A'::text || nextval('s'::regclass))":      "",
		"0":                                          "",
		"nextval('a'::regclass) + nextval('b'::reg)": "",
	} {
		if got, ok := sequenceOf(expr); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", expr, got, ok)
		}
	}
}

func TestNumericModifiers(t *testing.T) {
	modifier := func(precision, scale int) int { return precision<<16 | scale&0x7ff + 4 }
	for m, want := range map[int]schema.Type{
		-1:              {Kind: schema.Decimal},
		38<<16 | 18 + 4: {Kind: schema.Decimal, Length: 38, Scale: 18},
		modifier(5, 0):  {Kind: schema.Decimal, Length: 5},
		modifier(3, 5):  {Kind: schema.Decimal, Length: 3, Scale: 5},
		modifier(5, -2): {Kind: schema.Decimal, Length: 7},
	} {
		if got := decimal(m); got.Length != want.Length || got.Scale != want.Scale {
			t.Errorf("%d: got %+v, want %+v", m, got, want)
		}
	}
}

func TestLastName(t *testing.T) {
	for text, want := range map[string]string{"mood": "mood", "other.mood": "mood", `"Mo.od"`: "Mo.od", `"a""b"."c""d"`: `c"d`, `x."Y"`: "Y"} {
		if got := lastName(text); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}

// NOT NULL constraints get the names that PostgreSQL 18 gives them.
func TestNotNullNames(t *testing.T) {
	for _, c := range []struct{ table, column, want string }{
		{"mdl_user", "id", "mdl_user_id_not_null"},
		{"mdl_a_table_with_a_name_that_is_almost_as_long_as_a_name_may_be", "id", "mdl_a_table_with_a_name_that_is_almost_as_long_as_a_id_not_null"},
		{"mdl_a", "a_column_with_a_name_that_is_almost_as_long_as_a_name_may_be", "mdl_a_a_column_with_a_name_that_is_almost_as_long_as_a_not_null"},
		{strings.Repeat("ü", 20), strings.Repeat("ö", 20), strings.Repeat("ü", 13) + "_" + strings.Repeat("ö", 13) + "_not_null"},
	} {
		if got := notNullName(c.table, c.column); got != c.want {
			t.Errorf("%s.%s: %s", c.table, c.column, got)
		}
	}
}

// Types that are named in casts follow their names, and nothing else does.
func TestCastsFollowTheNamesOfTypes(t *testing.T) {
	names := map[string]string{"mdl_mood": `"m2_mood"`, `"Mo.o'd"`: `"x"`, "other.mood": "mine"}
	for expr, want := range map[string]string{
		"(lower('A'::text))::mdl_mood":              `(lower('A'::text))::"m2_mood"`,
		"(m = ANY (ARRAY['a'::mdl_mood]))":          `(m = ANY (ARRAY['a'::"m2_mood"]))`,
		"'{a}'::mdl_mood[]":                         `'{a}'::"m2_mood"[]`,
		`('y'::"Mo.o'd")`:                           `('y'::"x")`,
		"'a'::other.mood || 'b'::other.moods":       "'a'::mine || 'b'::other.moods",
		"'::mdl_mood'::text || '''::mdl_mood'":      "'::mdl_mood'::text || '''::mdl_mood'",
		"'a'::mdl_moods || 'a'::x.mdl_mood":         "'a'::mdl_moods || 'a'::x.mdl_mood",
		`(m = 'a\'::mdl_mood)`:                      `(m = 'a\'::"m2_mood")`,
		"'1'::character varying(5)::mdl_mood::text": `'1'::character varying(5)::"m2_mood"::text`,
	} {
		if got := retype(expr, names); got != want {
			t.Errorf("%s became %s", expr, got)
		}
	}
}
