package run

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// agreement is the result of comparing two defaults of one dialect.
type agreement int

const (
	differ  agreement = iota
	unknown           // two expressions that may mean the same
	agree
)

// compareDefaults compares the defaults of two columns of one dialect.
func compareDefaults(dialect string, want, got schema.Column) agreement {
	w, g := want.Default, got.Default
	switch {
	case w == nil && want.Type.Kind == schema.Timestamp && !want.Nullable:
		return agree // MySQL may be set to give it one (explicit_defaults_for_timestamp)
	case w == nil || g == nil:
		return sure(w == nil && g == nil)
	case *w == *g:
		return agree
	case w.Expr || g.Expr:
		return compareExpressions(dialect, w.Value, g.Value)
	case w.Value == g.Value:
		return agree
	}
	switch want.Type.Kind {
	case schema.JSON, schema.Other:
		return unknown // the engine's own spelling
	case schema.Int, schema.Decimal, schema.Float:
		a, okA := new(big.Rat).SetString(w.Value)
		b, okB := new(big.Rat).SetString(g.Value)
		return sure(okA && okB && a.Cmp(b) == 0) // 0 and 0.00000
	}
	return differ
}

func sure(same bool) agreement {
	if same {
		return agree
	}
	return differ
}

// Calls with keywords between their arguments, which some versions of PostgreSQL
// write differently: SUBSTRING(x FROM 1), EXTRACT(year FROM x), x AT TIME ZONE y.
var keywordCall = regexp.MustCompile(`(?i)\b(FROM|FOR|IN|PLACING|ZONE|BOTH|LEADING|TRAILING)\b`)

// compareExpressions compares two expressions as a server of the dialect spells them.
// MySQL and MariaDB share a dialect but spell expressions differently.
func compareExpressions(dialect, want, got string) agreement {
	switch {
	case plain(dialect, want) == plain(dialect, got):
		return agree
	case dialect == "mysql", keywordCall.MatchString(want), keywordCall.MatchString(got):
		return unknown
	}
	return differ
}

var (
	quoted     = regexp.MustCompile(`'[^']*'`) // as in PostgreSQL and SQLite; a literal with '' counts as two
	escaped    = regexp.MustCompile(`(?s)'(?:[^'\\]|\\.)*'`)
	introducer = regexp.MustCompile("(?i)_(utf8mb4|utf8mb3|utf8|latin1|ascii)$")
	noise      = strings.NewReplacer(" ", "", "\t", "", "\n", "", "(", "", ")", "", "`", "", `"`, "")
)

// plain leaves out what versions and products put into an expression without
// changing it: blanks, brackets, quotes of names, the case of words, and the
// character set in front of a literal.
func plain(dialect, expr string) string {
	var b strings.Builder
	literal := quoted
	if dialect == "mysql" {
		literal = escaped
	}
	end := 0
	for _, at := range literal.FindAllStringIndex(expr, -1) {
		b.WriteString(introducer.ReplaceAllString(strings.ToLower(noise.Replace(expr[end:at[0]])), ""))
		b.WriteString(expr[at[0]:at[1]])
		end = at[1]
	}
	b.WriteString(strings.ToLower(noise.Replace(expr[end:])))
	return b.String()
}

func defaultWords(d *schema.Default) string {
	if d == nil {
		return "no default"
	}
	return fmt.Sprintf("default %q", d.Value)
}
