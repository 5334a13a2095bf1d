// Package typemap is the transform that carries tables from one engine family
// to another: MySQL and MariaDB, PostgreSQL, SQLite. What Moodle's XMLDB would
// create on the target is what comes out. Rules lists what becomes what.
package typemap

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
)

// Config is the configuration of the stage.
type Config struct {
	Unknown string `key:"unknown" default:"text" oneof:"text refuse" help:"what becomes of types that the target doesn't have (arrays, geometry, inet …): text holds their text in a text column and says so, refuse ends the run before anything is written"`
}

// Stage describes the transform.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "typemap",
			Role:    stage.RoleTransform,
			Summary: "Maps tables between MySQL/MariaDB, PostgreSQL and SQLite.",
			Doc: "It is put in by itself where the engines of source and sink differ; name it only to configure it.\n" +
				"`vault plan --types` prints its rules. Defaults that are expressions and indexes that only the source's\n" +
				"engine knows are losses; collations are those of the target.",
			Config: func() any { return &Config{Unknown: "text"} },
		},
		NewRecord: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.RecordTransform, error) {
			return New(*c), nil
		}),
	}
}

// New makes the transform.
func New(c Config) stage.RecordTransform {
	return &transform{rules: Rules(), refuse: c.Unknown == "refuse"}
}

type transform struct {
	rules  []Rule
	refuse bool // types that the target doesn't have
}
