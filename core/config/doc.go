// Package config declares the configuration of stages as plain structs and
// makes everything from the one declaration: decoding with positions, checks,
// JSON Schema, help and docs.
//
// A field is a setting if it has a key tag:
//
//	type Config struct {
//		DSN    config.Secret   `key:"dsn" required:"true" help:"where the database is" example:"user:password@tcp(db:3306)/moodle"`
//		Prefix string          `key:"prefix" default:"mdl_" help:"what the names of the site's tables begin with; may be empty"`
//		Codec  string          `key:"codec" default:"zstd" oneof:"zstd lz4" help:"…"`
//		Level  int             `key:"level" min:"1" max:"19" help:"…"`
//		Wait   config.Duration `key:"lock_timeout" default:"10s" help:"…"`
//	}
//
// Types: string, bool, int, int64, []string, Secret, Size, Duration, Literal and
// []Literal (texts that need no quotes), map[string]string, map[string]Secret,
// yaml.Node (kept as it is, for its owner to decode), and embedded structs, whose
// settings stand among those of the outer one. min and max hold for numbers, sizes
// and durations; zero as the default of such a field stands for "not set" and need
// not lie between them.
//
// A field whose type is another struct with key tags holds an object. A pointer to
// it is nil where nothing is written; a struct has the defaults of its fields then,
// and what is required in it is not asked for. []T and map[string]T hold several. T
// may hold others of its own type. What is inside of objects is known by its path:
// tls.key, rules[2].table, hosts[NAME].dir.
//
// Names are of letters, digits, _, - and . and begin with a letter.
//
// place names what the value tells about where a stage reads or writes: dir and
// file for paths, database, schema and prefix. Settings named dir, file, path, dsn and
// prefix have it without the tag. The linter looks for stages that work on the
// same place.
//
// open:"true" marks a text that names something, as a site: it may be shown also
// where it comes from the environment. So may a prefix, and what is a number, a
// switch or one of a list. The tag does not cross to another process.
//
// What messages show of values:
//
//  1. A message of Vault's own names the place and the setting, never the value, nor a
//     name that somebody gave in a map. The
//     only way to show one is Shown, which takes small numbers, paths, words of
//     Vault's own and misspellings of known names.
//  2. Texts of others (servers, plugins, the operating system) and results pass a
//     Redactor. It hides what Hidden lists: every secret, and what the environment
//     or a file gave to a setting that is not open.
//
// A struct may have a method Validate() error, called last, the innermost first;
// errors made with At point to the setting they are about, by its path in that struct.
//
// Where the struct is in another process, a plugin's, its fields (Describe) cross
// the border and Dynamic makes of them what works here as the struct itself
// does; Encode and Assign carry the decoded values to the struct, and KeyOf and
// Split what its Validate says back. What holds a default must say so in a tag:
// values that a constructor presets don't cross.
package config
