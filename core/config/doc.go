// Package config declares the configuration of stages as plain structs. Decoding
// with positions, validation, JSON Schema, help and docs are derived from that one
// declaration.
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
// The types of fields are string, bool, int, int64, []string, Secret, Size, Duration,
// Literal and []Literal (strings that need no quotes), map[string]string,
// map[string]Secret and yaml.Node (which the stage decodes itself). The settings of an
// embedded struct belong to the outer struct. min and max apply to numbers, sizes and
// durations; a default of zero means "not set" and may be out of bounds.
//
// A field whose type is another struct with key tags holds an object. If the file does
// not set the object, a pointer to the struct is nil, and a struct has the defaults of
// its fields; its required settings are not checked then. []T and map[string]T hold
// several objects. T may contain objects of its own type. A setting within an object is
// identified by its path: tls.key, rules[2].table, hosts[NAME].dir.
//
// Names consist of letters, digits, _, - and . and begin with a letter.
//
// The place tag declares that the setting is part of the location where a stage reads
// or writes: dir and file for paths, database, schema and prefix. Settings named dir,
// file, path, dsn and prefix do not need the tag. The linter reports stages that work
// on the same location. The places repositories, targets and accepted declare lists of an
// action that the rest of the pipeline determines, see PlaceRepositories.
//
// open:"true" marks a string that is a name, such as that of a site. Messages may show
// its value even if it comes from the environment. The same applies to prefixes,
// numbers, sizes, durations, switches and settings with oneof. The tag is not sent to
// other processes.
//
// Messages protect values in two ways:
//
//  1. Vault's own messages contain the position and the setting, but neither its value
//     nor a key of a map. The only exception is Shown, which accepts small numbers,
//     paths, Vault's own keywords and misspellings of known names.
//  2. Messages of servers, plugins and the operating system, and results, pass through
//     a Redactor. It hides the values that Hidden lists: every secret, and every value
//     that the environment or a file supplied to a setting that is not open.
//
// A struct may have a method Validate() error. It is called after decoding, for inner
// structs first. Errors made with At refer to a setting by its path in that struct.
//
// The struct of a plugin is in another process. The plugin sends its fields, which
// Describe lists, and Dynamic turns them into a configuration that behaves like the
// struct. Encode and Assign transfer the decoded values to the struct; KeyOf and Split
// transfer the errors of its Validate. Defaults must be declared in tags: values that a
// constructor sets are not transferred.
package config
