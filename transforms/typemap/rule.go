package typemap

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/schema"
)

// Rule says how a target represents one logical type. The first matching rule of a
// target applies.
type Rule struct {
	To string // dialect of the target

	// What it matches: a kind and, if set, more. Int: bytes and sign. Decimal, Char,
	// Bit, Binary, Enum, Set: a length of 1 to Max; a Decimal's Scale is not below 0
	// nor above MaxScale or its length.
	Kind     schema.Kind
	Size     int
	Unsigned bool
	Fixed    bool
	Max      int
	MaxScale int

	// Native is the target's type. {length} and {scale} are replaced by those of the
	// column; the target keeps only what is named. A column without a length gets
	// that of Type.
	Native string
	// Type is the type as read back from the target.
	Type schema.Type
	Cell Cell // conversion of each value
	// AsText marks a type that the target does not have: the column gets the values'
	// text.
	AsText bool
	Remark string // for readers; with AsText it is reported wherever the rule is used
}

// Matches reports whether the rule applies to columns of this type.
func (r *Rule) Matches(t schema.Type) bool {
	if t.Kind != r.Kind || r.Size != 0 && t.Size != r.Size || r.Fixed && !t.Fixed {
		return false
	}
	if t.Kind == schema.Int && t.Unsigned != r.Unsigned {
		return false
	}
	if n := length(t); r.Max > 0 && (n < 1 || n > r.Max) {
		return false
	}
	return r.MaxScale == 0 || t.Scale >= 0 && t.Scale <= min(r.MaxScale, t.Length)
}

// apply returns the target's type for a type that the rule matches, and how it is
// read back.
func (r *Rule) apply(t schema.Type) (native string, as schema.Type) {
	as = r.Type
	if n := length(t); n > 0 && strings.Contains(r.Native, "{length}") {
		as.Length = n
	}
	if strings.Contains(r.Native, "{scale}") {
		as.Scale = t.Scale
	}
	native = strings.NewReplacer("{length}", strconv.Itoa(as.Length), "{scale}", strconv.Itoa(as.Scale)).Replace(r.Native)
	return native, as
}

// From describes what the rule matches.
func (r *Rule) From() string {
	var b strings.Builder
	b.WriteString(string(r.Kind))
	switch {
	case r.Size == 1:
		b.WriteString(", 1 byte")
	case r.Size > 0:
		fmt.Fprintf(&b, ", %d bytes", r.Size)
	}
	if r.Unsigned {
		b.WriteString(", unsigned")
	}
	if r.Fixed {
		b.WriteString(", fixed length")
	}
	if r.Max > 0 {
		fmt.Fprintf(&b, ", length 1 to %d", r.Max)
	}
	if r.MaxScale > 0 {
		fmt.Fprintf(&b, ", scale to %d", r.MaxScale)
	}
	return b.String()
}

// length returns the maximum number of characters, bytes, bits or digits of a value,
// 0 for unknown; that of an enum or a set follows from its values.
func length(t schema.Type) int {
	n := t.Length
	switch t.Kind {
	case schema.Enum:
		n = 0
		for _, v := range t.Values {
			n = max(n, utf8.RuneCountInString(v))
		}
	case schema.Set:
		n = max(len(t.Values)-1, 0) // commas
		for _, v := range t.Values {
			n += utf8.RuneCountInString(v)
		}
	}
	return n
}
