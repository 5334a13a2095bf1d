// Package typemap is the transform that maps tables between engine families: MySQL
// and MariaDB, PostgreSQL, SQLite. The result is what Moodle's XMLDB would create on
// the target. Rules lists the mappings.
package typemap

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
)

// Config is the configuration of the transform.
type Config struct {
	Unknown string `key:"unknown" default:"text" oneof:"text refuse" help:"how to handle types that the target does not have (arrays, geometry, inet …): text stores their text in a text column, with a note; refuse ends the run before anything is written"`
}

// Stage describes the transform.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "typemap",
			Role:    stage.RoleTransform,
			Summary: "Maps tables between MySQL/MariaDB, PostgreSQL and SQLite.",
			Doc: "It is added automatically if the engines of source and sink differ; list it only to configure it.\n" +
				"`vault plan --types` prints its rules. Defaults that are expressions and indexes that only the source's\n" +
				"engine supports are losses; collations are those of the target.",
			Config: func() any { return &Config{Unknown: "text"} },
		},
		NewRecord: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.RecordTransform, error) {
			return New(*c), nil
		}),
	}
}

// New returns the transform.
func New(c Config) stage.RecordTransform {
	return &transform{rules: Rules(), refuse: c.Unknown == "refuse"}
}

type transform struct {
	rules  []Rule
	refuse bool // types that the target does not have
}
