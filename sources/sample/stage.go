// Package sample is a source that makes a Moodle-like site in code: a database
// of two dozen tables, the files that its table files names, and a data root.
//
// The same configuration makes the same site, byte for byte, on every machine.
// Its values hold what breaks backups and every engine of Vault can keep; it is
// what tests, the demo and the benchmarks carry around.
package sample

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// Config is how large the site is and what it is called.
type Config struct {
	Seed      int64       `key:"seed" default:"1" help:"another seed makes another site of the same shape"`
	Factor    string      `key:"factor" default:"1" help:"how many times as large as usual, as a decimal number" example:"2.5"`
	Prefix    string      `key:"prefix" default:"mdl_" help:"what the site's tables are said to begin with; may be empty"`
	Files     bool        `key:"files" default:"true" help:"make filedir and dataroot too, not only the database"`
	DBBytes   config.Size `key:"db_bytes" help:"make log and forum rows until the database has about this size" example:"250MiB"`
	FileCount int         `key:"file_count" min:"2" default:"200" help:"contents in filedir"`
	FileBytes config.Size `key:"file_bytes" default:"1MiB" help:"about how large they are together"`
}

// Defaults is the configuration of a site that is made in a moment.
func Defaults() Config {
	return Config{Seed: 1, Factor: "1", Prefix: "mdl_", Files: true, FileCount: 200, FileBytes: 1 << 20}
}

// Validate checks what single settings don't tell.
func (c *Config) Validate() error {
	_, err := c.factor()
	return err
}

func (c *Config) factor() (float64, error) {
	f, err := strconv.ParseFloat(c.Factor, 64)
	if err != nil || !(f > 0) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("factor %q is not a positive number such as 0.5 or 10", c.Factor)
	}
	return f, nil
}

// Stage describes the source.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "sample",
			Role:    stage.RoleSource,
			Summary: "Makes a Moodle-like site in code, for trying Vault out, tests and benchmarks.",
			Doc: "The same settings make the same site, byte for byte. Without sizes it has about 2,000 rows and 200 files " +
				"that hold odd values of every kind. `db_bytes`, `file_count` and `file_bytes` make a site for measuring; " +
				"`factor` multiplies everything.",
			Parts:  []string{stage.DB, stage.Filedir, stage.Dataroot},
			Config: func() any { c := Defaults(); return &c },
		},
		NewSource: stage.Typed(func(_ context.Context, c *Config, env stage.Env) (stage.Source, error) {
			return New(*c, env.Workers)
		}),
	}
}
