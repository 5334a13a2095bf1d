package sample

import (
	"fmt"
	"math"
	"strconv"

	"github.com/lmsvault/vault/core/schema"
)

// oddTexts are texts that have broken some engine, driver or format; all of Vault's
// engines can hold them. NUL is excluded, because PostgreSQL cannot store it.
var oddTexts = []string{
	"",
	"plain",
	`\N`,
	`\`,
	`C:\new\table\r\0`,
	`quotes ' " ` + "`" + ` and \' \"`,
	"tab\tnewline\ncarriage\rreturn\r\nend",
	"\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f",
	"👩‍🏫 four bytes 𝄞 \U0010ffff",
	"e\u0301 combining, \u00e9 composed",
	"\u202eright to left\u202c עברית العربية",
	"\ufeffbyte order mark\u2028line\u2029paragraph\u0085\u00a0",
	`a:1:{s:4:"name";s:9:"Größe";}`,
	`O:8:"stdClass":1:{s:1:"a";d:0.10000000000000001;}`,
	`{"a":{"b":[1,2.50,"\u00e4\ud83d\ude00",null,true]},"a":2}`,
	"<script>alert('x')</script><!-- & -->",
	"%s %d ${env:HOME} {{x}} $1 ?",
	"-- '; DROP TABLE mdl_user; /* */ #",
	"007", "1e5", "0x1A", "-0", "NULL", "NaN", "true", "2024-02-30", "0000-00-00",
	" leading and trailing ",
	"ÃƒÂ¤ twice encoded",
}

// odd returns tables that Moodle itself does not have but real sites do, with their
// rows.
func odd() []table {
	return []table{
		{Table: schema.Table{Name: "local_odd_texts", Columns: columns(id(), nullable(char("short", 255)), nullable(text("long")), otherwise(char("quoted", 60), `it's "a" \ default`)), PrimaryKey: []string{"id"}},
			rows: int64(len(oddTexts)) + 2, rowSize: 80, row: func(c *cells, i int64) {
				c.int(i + 1)
				if i >= int64(len(oddTexts)) {
					c.null()
					c.null()
					c.text("")
					return
				}
				c.text(oddTexts[i], oddTexts[i], `\`)
			}},
		{Table: schema.Table{Name: "local_odd_numbers", Columns: columns(id(), integer("i1", 2), integer("i2", 4), integer("i3", 6), integer("i4", 9), nullable(integer("i8", 18)),
			nullable(number("d5", 10, 5)), nullable(number("d18", 38, 18)), nullable(number("d0", 20, 0)), nullable(float("f4", 4)), nullable(float("f8", 8))), PrimaryKey: []string{"id"}},
			rows: int64(len(oddNumbers)), rowSize: 120, row: func(c *cells, i int64) {
				n := oddNumbers[i]
				c.int(i+1, n.i1, n.i2, n.i3, n.i4, n.i8)
				c.raw(n.d5, n.d18, n.d0)
				c.float(float64(n.f4), 32)
				c.float(n.f8, 64)
			}},
		{Table: schema.Table{Name: "local_odd_binary", Columns: columns(id(), nullable(blob("content"))), PrimaryKey: []string{"id"}},
			rows: 6, rowSize: 1000, row: func(c *cells, i int64) {
				c.int(i + 1)
				switch i {
				case 0:
					c.null()
				case 1:
					c.binary(nil)
				case 2:
					c.binary([]byte{0})
				case 3:
					c.binary([]byte(`\x00 \N`))
				default:
					content := make([]byte, 256+i)
					for at := range content {
						content[at] = byte(at)
					}
					c.binary(content)
				}
			}},
		{Table: schema.Table{Name: "local_reserved", Columns: columns(id(), integer("count", 10), integer("timestamp", 10), integer("order", 4), char("key", 30), char("groups", 30), nullable(text("select")),
			nullable(integer("user", 10)), nullable(integer("rank", 4)), nullable(char("window", 20)), nullable(char("default", 20)), nullable(char("from", 20))), PrimaryKey: []string{"id"},
			Indexes: []schema.Index{unique("key"), index("order", "groups")}},
			rows: 10, rowSize: 60, row: func(c *cells, i int64) {
				c.int(i+1, i*i, epoch, 10-i)
				c.text(fmt.Sprintf("key%d", i), "a,b", "select")
				c.maybe(2, i)
				c.null()
				c.text("w")
				c.null()
				c.text("")
			}},
		{Table: schema.Table{Name: "local_Mixed-Case table", Columns: columns(id(), char("Full Name", 100), nullable(char("e-mail", 100)), integer("UPPER", 10)), PrimaryKey: []string{"id"},
			Indexes: []schema.Index{index("Full Name"), index("UPPER")}},
			rows: 10, rowSize: 50, row: func(c *cells, i int64) {
				c.int(i + 1)
				c.text(fmt.Sprintf("Name %d", i))
				c.null()
				c.int(i)
			}},
		{Table: schema.Table{Name: "local_no_key", Columns: columns(required(char("code", 32)), nullable(text("val")))},
			rows: 12, rowSize: 20, row: func(c *cells, i int64) { // every row twice
				c.text([]string{"", "a", "B", "ß-ö", "x", "y"}[i/2])
				if i/2 == 5 {
					c.null()
				} else {
					c.text("value")
				}
			}},
		{Table: schema.Table{Name: "local_composite", Columns: columns(required(integer("courseid", 10)), required(integer("userid", 10)), required(char("name", 50)), nullable(text("value"))), PrimaryKey: []string{"courseid", "name", "userid"}},
			rows: 30, rowSize: 40, row: func(c *cells, i int64) {
				c.int(i%3-1, i/6)
				c.text(fmt.Sprintf("n%d", i/3%2))
				c.prose(10)
			}},
		{Table: schema.Table{Name: "local_text_key", Columns: columns(required(char("code", 40)), integer("value", 10)), PrimaryKey: []string{"code"}},
			rows: 8, rowSize: 20, row: func(c *cells, i int64) {
				c.text([]string{"", "a", "b/c", "d e", "ф", "語", "🎓", `\N`}[i])
				c.int(i)
			}},
		{Table: schema.Table{Name: "local_null_key", Columns: columns(nullable(integer("a", 10)), nullable(char("b", 20)), integer("c", 10)), Indexes: []schema.Index{unique("a"), unique("b", "c")}},
			rows: 9, rowSize: 20, row: func(c *cells, i int64) {
				if i < 3 {
					c.null()
					c.null()
					c.int(1)
					return
				}
				c.int(i - 5)
				c.text(fmt.Sprintf("b%d", i))
				c.int(i % 2)
			}},
		{Table: schema.Table{Name: "local_negative_id", Columns: columns(required(integer("id", 18)), nullable(char("name", 20))), PrimaryKey: []string{"id"}},
			rows: 5, rowSize: 30, row: func(c *cells, i int64) {
				c.int([]int64{math.MinInt64, -1, 0, 1, math.MaxInt64}[i])
				c.text("at " + strconv.FormatInt(i, 10))
			}},
		{Table: schema.Table{Name: "local_empty", Columns: columns(id(), char("name", 100)), PrimaryKey: []string{"id"}, Sequence: &schema.Sequence{Column: "id", Next: 777}}, rowSize: 1},
		{Table: schema.Table{Name: "local_empty_new", Columns: columns(id(), nullable(blob("value"))), PrimaryKey: []string{"id"}, Sequence: &schema.Sequence{Column: "id", Next: 1}}, rowSize: 1},
	}
}

var oddNumbers = []struct {
	i1, i2, i3, i4, i8 int64
	d5, d18, d0        string
	f4                 float32
	f8                 float64
}{
	{0, 0, 0, 0, 0, "0.00000", "0.000000000000000000", "0", 0, 0},
	{math.MaxInt8, math.MaxInt16, 1<<23 - 1, math.MaxInt32, math.MaxInt64, "99999.99999", "99999999999999999999.999999999999999999", "99999999999999999999", 3.4028233e38, math.MaxFloat64},
	{math.MinInt8, math.MinInt16, -1 << 23, math.MinInt32, math.MinInt64, "-99999.99999", "-99999999999999999999.999999999999999999", "-99999999999999999999", -3.4028233e38, -math.MaxFloat64},
	{1, 1, 1, 1, 1<<53 + 1, "0.10000", "0.000000000000000001", "1", 0.1, 0.1},
	{-1, -1, -1, -1, -1<<53 - 1, "-0.00001", "-0.100000000000000000", "-1", 1.0 / 3, 1.0 / 3},
	{9, 9, 9, 9, 9, "12345.67890", "1.500000000000000000", "18446744073709551616", 16777216, 1e-7},
	{9, 9, 9, 9, 9, "33.33333", "33.333333333333333333", "9223372036854775808", 1.1754944e-38, math.SmallestNonzeroFloat64},
	{9, 9, 9, 9, 9, "1.00000", "100.000000000000000000", "100", 1e10, 1e20},
	{9, 9, 9, 9, 9, "1.00000", "100.000000000000000000", "100", 123456.79, 0.30000000000000004},
	{9, 9, 9, 9, 9, "1.00000", "100.000000000000000000", "100", 3.1415927, 2.2250738585072014e-308},
}
