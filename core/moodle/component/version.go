package component

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Version is a version number as PHP holds it: an integer, a float or a string.
// The zero value is none.
type Version struct{ value any }

// ParseVersion parses a version as it is stored in a database. An empty text is none.
func ParseVersion(text string) (Version, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Version{}, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return Version{n}, nil
	}
	if f, ok := parseNumber(text); ok {
		return Version{f}, nil
	}
	return Version{}, fmt.Errorf("%.40q is not a version number", text)
}

// parseNumber reads a decimal number without sign or exponent.
func parseNumber(text string) (float64, bool) {
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

// IsZero reports whether there is no version.
func (v Version) IsZero() bool { return v.value == nil }

// String returns the version as Moodle stores it in a database, "" for none.
func (v Version) String() string {
	switch x := v.value.(type) {
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case string:
		return x
	}
	return ""
}

// Compare compares two versions as numbers: -1 if v is lower than w, +1 if it is
// higher. None is lower than any other version.
func (v Version) Compare(w Version) int { return cmp.Compare(v.number(), w.number()) }

func (v Version) number() float64 {
	switch x := v.value.(type) {
	case int64:
		return float64(x)
	case float64:
		return x
	case string:
		if f, ok := parseNumber(strings.TrimSpace(x)); ok {
			return f
		}
		return 0
	}
	return math.Inf(-1)
}

// maxPlainFloat is the lowest float that PHP may serialize with an exponent.
const maxPlainFloat = 1e15

// serialize writes the version as PHP's serialize does.
func (v Version) serialize() (string, error) {
	switch x := v.value.(type) {
	case nil:
		return "N;", nil
	case int64:
		return fmt.Sprintf("i:%d;", x), nil
	case float64:
		if x < 0 || x >= maxPlainFloat || x != 0 && x < 1e-3 {
			return "", fmt.Errorf("%v is not a version number", x)
		}
		return "d:" + strconv.FormatFloat(x, 'f', -1, 64) + ";", nil
	case string:
		return serializeString(x), nil
	}
	return "", fmt.Errorf("a version of type %T", v.value)
}

// serializeString writes a string as PHP's serialize does.
func serializeString(s string) string { return fmt.Sprintf(`s:%d:"%s";`, len(s), s) }
