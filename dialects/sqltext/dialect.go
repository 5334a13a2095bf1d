package sqltext

import "strings"

// Dialect is what one engine's expressions may consist of. It doesn't change once
// it is made.
type Dialect struct {
	Quotes    string                   // characters that begin a quoted name
	Backslash bool                     // literals have escapes with backslashes
	Literal   func(prefix string) bool // what may stand before a literal's quotes, in lower case; nil: nothing
	// Postgres: operator characters that follow each other are one operator, whether
	// there is such a one or not; there are :: and arrays.
	Postgres  bool
	Intervals bool // there is INTERVAL 1 DAY

	Operators map[string]bool // that are symbols
	Unary     map[string]bool // what may stand before an operand, in upper case
	Words     map[string]bool // what may stand between operands, in upper case
	Constants map[string]bool // words that are values, in upper case; a number in brackets may follow
	Functions map[string]bool // in lower case

	Type func(*Parser) error // reads a type after CAST … AS and ::
}

// Set makes a set of words with blanks between.
func Set(words ...string) map[string]bool {
	set := map[string]bool{}
	for _, line := range words {
		for word := range strings.FieldsSeq(line) {
			set[word] = true
		}
	}
	return set
}
