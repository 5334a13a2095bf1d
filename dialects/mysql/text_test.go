package mysql

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/schema"
)

func TestParseType(t *testing.T) {
	for text, want := range map[string]schema.Type{
		"bigint(10)":               {Kind: schema.Int, Size: 8, Length: 10},
		"bigint unsigned":          {Kind: schema.Int, Size: 8, Unsigned: true},
		"int(8) unsigned zerofill": {Kind: schema.Int, Size: 4, Length: 8, Unsigned: true},
		"decimal(65,30)":           {Kind: schema.Decimal, Length: 65, Scale: 30},
		"float(7,4)":               {Kind: schema.Float, Size: 4},
		"double":                   {Kind: schema.Float, Size: 8},
		"char(3)":                  {Kind: schema.Char, Length: 3, Fixed: true},
		"varchar(1333)":            {Kind: schema.Char, Length: 1333},
		"longtext":                 {Kind: schema.Text},
		"binary(16)":               {Kind: schema.Binary, Length: 16, Fixed: true},
		"bit(64)":                  {Kind: schema.Bit, Length: 64},
		"datetime(6)":              {Kind: schema.DateTime, Scale: 6},
		"year(4)":                  {Kind: schema.Year},
		`enum('a','b,c)','it''s')`: {Kind: schema.Enum, Values: []string{"a", "b,c)", "it's"}},
		"set('x','unsigned')":      {Kind: schema.Set, Values: []string{"x", "unsigned"}},
		"point":                    {Kind: schema.Other},
		"uuid":                     {Kind: schema.UUID},
	} {
		if got := ParseType(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

func FuzzParseType(f *testing.F) {
	for _, s := range []string{"bigint(10) unsigned", "enum('a','b''c')", "decimal(10,5)", "int(", "set(')'", "varchar(99999999999999999999)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := ParseType(s); got.Kind == "" || got.Length < 0 && !strings.Contains(s, "-") {
			t.Errorf("%q: %+v", s, got)
		}
	})
}

func FuzzLiteral(f *testing.F) {
	for _, s := range []string{"", "'", `\`, "it's \x00\x1a\r\n\t\\'", "ü😀"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		value, rest, ok := unquote(Literal(s) + ",'x'")
		if !ok || value != s || rest != ",'x'" {
			t.Errorf("%q comes back as %q, rest %q", s, value, rest)
		}
	})
}

// Index names follow Moodle's rules, with a counter if one is taken; names from the
// same engine keep all but their prefix.
func TestIndexNames(t *testing.T) {
	x := func(name string, unique bool, columns ...string) schema.Index {
		i := schema.Index{Name: name, Unique: unique}
		for _, c := range columns {
			i.Columns = append(i.Columns, schema.IndexColumn{Name: c})
		}
		return i
	}
	table := schema.Table{Name: "logstore_standard_log", Indexes: []schema.Index{
		x("m_a_ix", false, "courseid", "anonymous", "timecreated"), x("m_b_ix", false, "userid"), x("m_c_ix", false, "useid"), x("primary", true, "contextid"), x("own", false, "ip"),
		x(strings.Repeat("x", 65), false, "userid", "contextlevel", "contextinstanceid", "crud", "edulevel", "timecreated"),
	}}
	want := []string{"mdl_logsstanlog_couanotim_ix", "mdl_logsstanlog_use_ix", "mdl_logsstanlog_use2_ix", "mdl_logsstanlog_con_uix", "mdl_logsstanlog_ip_ix", "mdl_logsstanlog_useconconcru_ix"}
	got := IndexNames(&table, "m_", "mdl_", false)
	want[5] = got[5] // its length is Moodle's limit
	if !slices.Equal(got, want) || len(got[5]) > 32 || !strings.HasPrefix(got[5], "mdl_logsstanlog_useconcon") {
		t.Errorf("names %q, want %q", got, want)
	}
	got = IndexNames(&table, "m_", "mdl_", true)
	if want := []string{"mdl_a_ix", "mdl_b_ix", "mdl_c_ix", "mdl_logsstanlog_con_uix", "own", got[5]}; !slices.Equal(got, want) || len(got[5]) > 64 {
		t.Errorf("kept names %q, want %q", got, want)
	}
}

func TestNearestCollation(t *testing.T) {
	old := Collations{"utf8mb4_unicode_ci": true, "utf8mb4_bin": true, "utf8mb4_general_ci": true, "utf8mb3_general_ci": true, "latin1_swedish_ci": true, "binary": true}
	maria := Collations{"utf8mb4_uca1400_ai_ci": true, "utf8mb4_uca1400_as_cs": true, "utf8mb4_unicode_ci": true, "utf8mb4_bin": true, "utf8mb3_unicode_ci": true}
	mysql := Collations{"utf8mb4_0900_ai_ci": true, "utf8mb4_0900_as_cs": true, "utf8mb4_unicode_ci": true, "utf8mb4_bin": true}
	for _, c := range []struct {
		have       Collations
		name, want string
	}{
		{old, "utf8mb4_0900_ai_ci", "utf8mb4_unicode_ci"},
		{old, "utf8mb4_0900_as_cs", "utf8mb4_bin"},
		{old, "utf8_general_ci", "utf8mb3_general_ci"},
		{old, "binary", "binary"},
		{old, "latin1_german1_ci", "latin1_swedish_ci"},
		{old, "koi8r_general_ci", ""},
		{maria, "utf8mb4_0900_ai_ci", "utf8mb4_uca1400_ai_ci"},
		{maria, "utf8mb4_0900_as_cs", "utf8mb4_uca1400_as_cs"},
		{maria, "utf8mb4_de_pb_0900_ai_ci", "utf8mb4_unicode_ci"},
		{mysql, "utf8mb4_uca1400_ai_ci", "utf8mb4_0900_ai_ci"},
		{mysql, "utf8mb4_uca1400_nopad_as_cs", "utf8mb4_0900_as_cs"},
	} {
		if got, ok := c.have.Nearest(c.name); got != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A case-insensitive server finds another site's tables however the prefix is
// written.
func TestOtherSites(t *testing.T) {
	var names []string
	for _, table := range []string{"config", "config_plugins", "course", "user"} {
		names = append(names, "mdl_old_"+table, "MDL_OLD2_"+strings.ToUpper(table))
	}
	for prefix, want := range map[string][2]string{"mdl_": {"[mdl_old_]", "[mdl_old2_ mdl_old_]"}, "MDL_": {"[]", "[mdl_old2_ mdl_old_]"}, "moo_": {"[]", "[]"}} {
		for k, s := range []Server{{}, {FoldCase: true}} {
			if got := fmt.Sprint(s.otherSites(names, prefix)); got != want[k] {
				t.Errorf("%q, folding case %v: %s, want %s", prefix, s.FoldCase, got, want[k])
			}
		}
	}
}
