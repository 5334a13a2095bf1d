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
// Types: string, bool, int, int64, []string, Secret, Size, Duration, and
// embedded structs, whose settings stand among those of the outer one. A struct
// may have a method Validate() error, called last.
package config
