// Package sample is a source that generates a Moodle-like site: a database of two
// dozen tables, the files that its table files refers to, and a data root.
//
// The same configuration generates the same site, byte for byte, on every machine.
// Its values include what breaks backups but every engine of Vault can hold. Tests,
// the demo and the benchmarks use it.
package sample

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// Config describes the size of the site and its names.
type Config struct {
	Seed      int64       `key:"seed" default:"1" help:"another seed generates another site of the same shape"`
	Factor    string      `key:"factor" default:"1" help:"size relative to the default, as a decimal number" example:"2.5"`
	Prefix    string      `key:"prefix" default:"mdl_" help:"prefix of the site's table names; may be empty"`
	Files     bool        `key:"files" default:"true" help:"also generate filedir and dataroot, not only the database"`
	DBBytes   config.Size `key:"db_bytes" help:"generate log and forum rows until the database has about this size" example:"250MiB"`
	FileCount int         `key:"file_count" min:"2" default:"200" help:"number of contents in filedir"`
	FileBytes config.Size `key:"file_bytes" default:"1MiB" help:"approximate total size of the contents in filedir"`
}

// Defaults returns the configuration of a small site.
func Defaults() Config {
	return Config{Seed: 1, Factor: "1", Prefix: "mdl_", Files: true, FileCount: 200, FileBytes: 1 << 20}
}

// Validate checks combinations of settings.
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
			Summary: "Generates a Moodle-like site, for trying Vault out, tests and benchmarks.",
			Doc: "The same settings generate the same site, byte for byte. By default it has about 2,000 rows and 200 files " +
				"with unusual values of every kind. `db_bytes`, `file_count` and `file_bytes` set the size for benchmarks; " +
				"`factor` multiplies everything.",
			Parts:  []string{stage.DB, stage.Filedir, stage.Dataroot},
			Config: func() any { c := Defaults(); return &c },
		},
		NewSource: stage.Typed(func(_ context.Context, c *Config, env stage.Env) (stage.Source, error) {
			return New(*c, env.Workers)
		}),
	}
}
