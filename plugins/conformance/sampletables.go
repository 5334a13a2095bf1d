package conformance

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// SampleTables returns small tables with rows as in Moodle and with every type, for testing
// a record transform that has no tables of its own.
func SampleTables() []TableRows {
	return []TableRows{sampleUsers(), sampleConfig(), sampleFiles(), sampleLog(), sampleTypes("mysql"), sampleTypes("postgres"),
		{Schema: moodleTable("empty", column("name", schema.Char, 255))}}
}

// odd are texts that are often corrupted: empty, escapes, a literal \N, several scripts,
// characters outside the basic plane, combining marks, trailing spaces.
var odd = [...]string{"", `\N`, `a\b`, "tab\there", "line\nline\r\n", "Žluťoučký kůň", "学习 😀👩‍🏫", "e\u0301", "  spaces  ", `"quo'ted"`, "NULL", "0", "<p>&amp;</p>"}

func column(name string, kind schema.Kind, length int) schema.Column {
	return schema.Column{Name: name, Type: schema.Type{Kind: kind, Length: length}, Nullable: true}
}

func bigint(name string) schema.Column {
	return schema.Column{Name: name, Native: "bigint", Type: schema.Type{Kind: schema.Int, Size: 8}}
}

// moodleTable returns a table that begins with id, like every table of Moodle.
func moodleTable(name string, columns ...schema.Column) schema.Table {
	return schema.Table{
		Name: name, Dialect: "mysql", Columns: append([]schema.Column{bigint("id")}, columns...),
		PrimaryKey: []string{"id"}, Sequence: &schema.Sequence{Column: "id", Next: 1000},
	}
}

// line appends a row of escaped cells.
func line(dst []byte, cells ...string) []byte {
	return append(append(dst, strings.Join(cells, "\t")...), '\n')
}

func text(s string) string { return string(rows.AppendText(nil, s)) }

func sampleUsers() TableRows {
	t := TableRows{Schema: moodleTable("user", column("username", schema.Char, 100), column("email", schema.Char, 100), column("firstname", schema.Char, 100),
		column("lastname", schema.Char, 100), column("phone1", schema.Char, 20), column("city", schema.Char, 120), column("lastip", schema.Char, 45),
		column("description", schema.Text, 0), bigint("timecreated"))}
	for i, s := range odd {
		id := fmt.Sprint(i + 1)
		t.Rows = line(t.Rows, id, "user"+id, "user"+id+"@example.com", text(s), text(odd[len(odd)-1-i]), "+49 30 1234"+id, rows.Null, "192.0.2."+id, text(s), "1700000000")
	}
	t.Rows = line(t.Rows, "999", "guest", "", "", "", "", "", "", rows.Null, "0")
	return t
}

func sampleConfig() TableRows {
	t := TableRows{Schema: moodleTable("config", column("name", schema.Char, 255), column("value", schema.Text, 0))}
	t.Schema.Indexes = []schema.Index{{Name: "config_nam_uix", Unique: true, Columns: []schema.IndexColumn{{Name: "name"}}}}
	t.Rows = line(t.Rows, "1", "wwwroot", "https://moodle.example.com")
	t.Rows = line(t.Rows, "2", "siteidentifier", text("a\\b\tc"))
	t.Rows = line(t.Rows, "3", "empty", "")
	t.Rows = line(t.Rows, "-4", "nothing", rows.Null)
	return t
}

func sampleFiles() TableRows {
	t := TableRows{Schema: moodleTable("files", column("contenthash", schema.Char, 40), column("pathnamehash", schema.Char, 40), bigint("contextid"),
		column("component", schema.Char, 100), column("filepath", schema.Char, 255), column("filename", schema.Char, 255), bigint("userid"), bigint("filesize"), column("source", schema.Text, 0))}
	for i, s := range odd {
		id := fmt.Sprint(i + 1)
		t.Rows = line(t.Rows, id, "da39a3ee5e6b4b0d3255bfef95601890afd80709", fmt.Sprintf("%040x", i), "5", "mod_resource", "/", text(s), id, "9223372036854775807", rows.Null)
	}
	return t
}

func sampleLog() TableRows {
	t := TableRows{Schema: moodleTable("logstore_standard_log", column("eventname", schema.Char, 255), column("crud", schema.Char, 1), bigint("userid"),
		column("other", schema.Text, 0), bigint("timecreated"), column("ip", schema.Char, 45))}
	for i := range 200 {
		id := fmt.Sprint(i + 1)
		t.Rows = line(t.Rows, id, `\\core\\event\\course_viewed`, "r", id, text(`{"a":"\u00e9"}`), fmt.Sprint(1_700_000_000+i), "2001:db8::"+id)
	}
	return t
}

// sampleTypes returns a table with a column of every common type, holding the limits of
// each.
func sampleTypes(dialect string) TableRows {
	columns := []schema.Column{bigint("id")}
	cells := make([][]byte, 3) // minimum, maximum, NULL
	cells[0], cells[1], cells[2] = []byte("1"), []byte("2"), []byte("3")
	add := func(name string, typ schema.Type, least, most string) {
		columns = append(columns, schema.Column{Name: name, Type: typ, Nullable: true})
		for i, cell := range []string{least, most, rows.Null} {
			cells[i] = append(append(cells[i], '\t'), cell...)
		}
	}
	add("tiny", schema.Type{Kind: schema.Int, Size: 1}, "-128", "127")
	add("big", schema.Type{Kind: schema.Int, Size: 8}, "-9223372036854775808", "9223372036854775807")
	add("price", schema.Type{Kind: schema.Decimal, Length: 10, Scale: 5}, "-99999.99999", "0.00000")
	add("half", schema.Type{Kind: schema.Float, Size: 4}, "-0", "3.4028235e+38")
	add("whole", schema.Type{Kind: schema.Float, Size: 8}, "5e-324", "0.1")
	add("title", schema.Type{Kind: schema.Char, Length: 255}, "", text(`\N`))
	add("fixed", schema.Type{Kind: schema.Char, Length: 4, Fixed: true}, "", "abcd")
	add("body", schema.Type{Kind: schema.Text}, "", text("a\tb\\c\n😀"))
	add("data", schema.Type{Kind: schema.Binary}, `\\x`, `\\x00ff0a095c`)
	add("day", schema.Type{Kind: schema.Date}, "0001-01-01", "9999-12-31")
	add("hour", schema.Type{Kind: schema.Time, Scale: 6}, "00:00:00", "23:59:59.999999")
	add("at", schema.Type{Kind: schema.DateTime, Scale: 6}, "1000-01-01 00:00:00", "9999-12-31 23:59:59.999999")
	add("stamp", schema.Type{Kind: schema.Timestamp}, "1970-01-01 00:00:01", "2038-01-19 03:14:07")
	add("doc", schema.Type{Kind: schema.JSON}, "{}", text(`{"a": "\u00e9\\"}`))
	if dialect == "mysql" {
		add("huge", schema.Type{Kind: schema.Int, Size: 8, Unsigned: true}, "0", "18446744073709551615")
		add("made", schema.Type{Kind: schema.Year}, "1901", "2155")
		add("state", schema.Type{Kind: schema.Enum, Values: []string{"", "on", "o'ff"}}, "", "o'ff")
		add("flags", schema.Type{Kind: schema.Set, Values: []string{"a", "b"}}, "", "a,b")
		add("bits", schema.Type{Kind: schema.Bit, Length: 3}, "000", "111")
	} else {
		add("good", schema.Type{Kind: schema.Bool}, "f", "t")
		add("uid", schema.Type{Kind: schema.UUID}, "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")
	}
	return TableRows{
		Schema: schema.Table{Name: "types_" + dialect, Dialect: dialect, Columns: columns, PrimaryKey: []string{"id"}},
		Rows:   append(bytes.Join(cells, []byte{'\n'}), '\n'),
	}
}
