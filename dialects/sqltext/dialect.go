package sqltext

import "strings"

// Dialect defines the expressions of one engine. It must not be changed after it is
// created.
type Dialect struct {
	Quotes    string                   // characters that begin a quoted name
	Backslash bool                     // literals have escapes with backslashes
	Literal   func(prefix string) bool // allowed prefixes of literals, in lower case; nil: none
	// Postgres: adjacent operator characters form one operator, whether it exists or
	// not; :: and arrays are allowed.
	Postgres  bool
	Intervals bool // INTERVAL 1 DAY is allowed

	Operators map[string]bool // operators that are symbols
	Unary     map[string]bool // keywords and symbols before an operand, in upper case
	Words     map[string]bool // keywords between operands, in upper case
	Constants map[string]bool // keywords that are values, in upper case; a number in parentheses may follow
	Functions map[string]bool // in lower case

	Type func(*Parser) error // parses a type after CAST … AS and ::
}

// Set returns the set of the words in its arguments, separated by spaces.
func Set(words ...string) map[string]bool {
	set := map[string]bool{}
	for _, line := range words {
		for word := range strings.FieldsSeq(line) {
			set[word] = true
		}
	}
	return set
}
