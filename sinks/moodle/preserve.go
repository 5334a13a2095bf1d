package moodle

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// preserveSettings say what of the old site stays.
type preserveSettings struct {
	Preserve []string `key:"preserve" help:"what to keep of the site in the target, as paths in a snapshot: tables, where * stands for any characters, and paths of files" example:"[db/local_school_*, dataroot/repository/shared]"`
}

// check checks the paths.
func (c *preserveSettings) check() error {
	var errs []error
	for i, path := range c.Preserve {
		part, rest, _ := strings.Cut(path, "/")
		if rest == "" || part != stage.DB && part != stage.Filedir && part != stage.Dataroot {
			key := fmt.Sprintf("preserve[%d]", i)
			errs = append(errs, config.At(key, "%s must be db/TABLE, dataroot/PATH or filedir/PATH", key))
		}
	}
	return errors.Join(errs...)
}

// kept returns what to preserve by part, as the sinks take it.
func (c *preserveSettings) kept() map[string][]string {
	kept := map[string][]string{}
	for _, path := range c.Preserve {
		part, rest, _ := strings.Cut(path, "/")
		kept[part] = append(kept[part], rest)
	}
	return kept
}
