package schema

// Kind is a logical type, independent of the engine. The list is a superset of
// Moodle's XMLDB types and covers the common types of MySQL and PostgreSQL.
type Kind string

// The logical types with their canonical text: the one representation of a value that
// every engine's reader produces and that sums are computed from. It is the text
// before package rows escapes it.
const (
	Int       Kind = "int"       // Size 1, 2, 3, 4 or 8 bytes; Unsigned. Digits without padding, "-" first.
	Decimal   Kind = "decimal"   // Length digits, Scale of them after the point. Always Scale decimals; Length 0: unbounded.
	Float     Kind = "float"     // Size 4 or 8. Go's strconv 'g', shortest form that reads back; NaN, +Inf as "Infinity", -Inf as "-Infinity".
	Bool      Kind = "bool"      // t or f.
	Char      Kind = "char"      // Length characters at most; Fixed for CHAR(n), whose trailing spaces are not part of the value.
	Text      Kind = "text"      // Length 0: unbounded, else bytes at most.
	Binary    Kind = "binary"    // Length bytes at most (0: unbounded), Fixed for BINARY(n). \x and lower-case hex.
	Bit       Kind = "bit"       // Length bits, as that many 0 and 1.
	Date      Kind = "date"      // YYYY-MM-DD.
	Time      Kind = "time"      // [-]HH:MM:SS[.f], Scale fractional digits, without trailing zeros of the fraction.
	DateTime  Kind = "datetime"  // YYYY-MM-DD HH:MM:SS[.f], no zone; Scale and fraction as for Time.
	Timestamp Kind = "timestamp" // As DateTime, in UTC.
	Year      Kind = "year"      // YYYY.
	JSON      Kind = "json"      // The document as the engine writes it.
	Enum      Kind = "enum"      // One of Values.
	Set       Kind = "set"       // Any of Values, separated by commas.
	UUID      Kind = "uuid"      // Lower case with dashes.
	Other     Kind = "other"     // The engine's own text; only the table's Dialect can hold it.
)

// Type is a logical type with its parameters. Kind determines which of them are used.
type Type struct {
	Kind     Kind     `json:"kind"`
	Size     int      `json:"size,omitempty"`   // bytes
	Length   int      `json:"length,omitempty"` // characters, bytes, bits or digits; for Int the XMLDB length if the engine keeps it, else 0
	Scale    int      `json:"scale,omitempty"`  // digits after the point
	Unsigned bool     `json:"unsigned,omitempty"`
	Fixed    bool     `json:"fixed,omitempty"`
	Values   []string `json:"values,omitempty"`
}
