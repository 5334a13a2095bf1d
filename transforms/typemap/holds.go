package typemap

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/schema"
)

// holds returns why a column of the target cannot have a canonical text as its
// default, or nil.
func holds(value string, t schema.Type, target string) error {
	switch t.Kind {
	case schema.Int:
		return holdsInt(value, t)
	case schema.Decimal:
		return holdsDecimal(value, t, target)
	case schema.Float:
		return holdsFloat(value, t, target)
	case schema.Bool:
		return unless(value == "t" || value == "f", "neither t nor f")
	case schema.Binary:
		return holdsBinary(value, t)
	case schema.Bit:
		return unless(strings.Trim(value, "01") == "" && (t.Length == 0 || len(value) == t.Length), "not %d bits", t.Length)
	}
	if !utf8.ValidString(value) {
		return errors.New("not UTF-8")
	}
	if target != mysql && strings.Contains(value, "\x00") {
		return errors.New("text with U+0000")
	}
	switch t.Kind {
	case schema.Char:
		return unless(t.Length == 0 || utf8.RuneCountInString(value) <= t.Length, "longer than %d characters", t.Length)
	case schema.Text:
		return unless(t.Length == 0 || len(value) <= t.Length, "longer than %d bytes", t.Length)
	}
	if target == sqlite { // which stores the rest as text
		return nil
	}
	switch t.Kind {
	case schema.Date:
		return holdsTime(value, time.DateOnly, t)
	case schema.DateTime, schema.Timestamp:
		return holdsTime(value, time.DateTime, t)
	case schema.Time:
		return unless(timeOfDay.MatchString(value), "not between -838:59:59 and 838:59:59")
	case schema.Year:
		return unless(value == "0000" || len(value) == 4 && value >= "1901" && value <= "2155", "not between 1901 and 2155")
	case schema.JSON:
		return unless(json.Valid([]byte(value)), "not JSON")
	case schema.UUID:
		return unless(uuid.MatchString(value), "not a UUID")
	}
	return nil
}

var (
	uuid      = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	timeOfDay = regexp.MustCompile(`^-?(\d\d|[0-7]\d\d|8[0-2]\d|83[0-8]):[0-5]\d:[0-5]\d(\.\d+)?$`)
	number    = regexp.MustCompile(`^-?\d+(\.\d+)?$`)
)

func unless(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func holdsInt(value string, t schema.Type) error {
	bits := 8 * t.Size
	if t.Unsigned {
		_, err := strconv.ParseUint(value, 10, bits)
		return unless(err == nil, "not an integer from 0 to %d", uint64(math.MaxUint64)>>(64-bits))
	}
	_, err := strconv.ParseInt(value, 10, bits)
	return unless(err == nil, "not an integer of %d bytes", t.Size)
}

// special reports whether a number is NaN or infinite.
func special(value string) bool {
	return value == "NaN" || value == "Infinity" || value == "-Infinity"
}

func holdsDecimal(value string, t schema.Type, target string) error {
	if special(value) {
		return unless(target != mysql && (t.Length == 0 || value == "NaN"), "not a number")
	}
	if !number.MatchString(value) {
		return errors.New("not a decimal number")
	}
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(value, "-"), ".")
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	return unless(t.Length == 0 || len(whole) <= max(t.Length-t.Scale, 0) && len(fraction) <= t.Scale, "not a number of %d digits, %d of them after the point", t.Length, t.Scale)
}

func holdsFloat(value string, t schema.Type, target string) error {
	if special(value) {
		return unless(target != mysql, "not a number")
	}
	_, err := strconv.ParseFloat(value, 8*t.Size)
	return unless(err == nil, "not a floating point number of %d bytes", t.Size)
}

func holdsBinary(value string, t schema.Type) error {
	digits, ok := strings.CutPrefix(value, `\x`)
	raw, err := hex.DecodeString(digits)
	if !ok || err != nil {
		return errors.New("not bytes")
	}
	return unless(t.Length == 0 || len(raw) <= t.Length, "longer than %d bytes", t.Length)
}

// holdsTime requires a valid date in the years 1 to 9999, which both servers support.
func holdsTime(value, layout string, t schema.Type) error {
	at, err := time.Parse(layout, value) // also accepts a fraction
	if err != nil || at.Year() < 1 {
		return errors.New("not a day from 0001-01-01 to 9999-12-31")
	}
	_, fraction, _ := strings.Cut(value, ".")
	return unless(len(fraction) <= t.Scale || t.Kind == schema.Date, "more than %d fractional digits", t.Scale)
}

// rounded rounds a decimal to the number of decimals of its type, as a server does
// when it stores it: half away from zero.
func rounded(value string, t schema.Type) string {
	if t.Length == 0 || !number.MatchString(value) {
		return value
	}
	exact, ok := new(big.Rat).SetString(value)
	if !ok {
		return value
	}
	return exact.FloatString(t.Scale)
}
