package files

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
)

// Config is the configuration of the source files.
type Config struct {
	Dir string `key:"dir" required:"true" help:"the site's file pool: the directory filedir in its data root" example:"/var/moodledata/filedir"`
}

const doc = `Reads Moodle's file pool. The SHA-1 of every file is checked against its name
while it is read; a file that differs is kept under its name and listed as corrupt_file.
Files that have not changed since the previous snapshot, by size, times and inode, are not
read again.

Anything else in the pool, such as Moodle's warning.txt, is backed up unchanged, except
unfinished uploads (HASH.tmp), deleted files that are still open on NFS (.nfs…), lost+found
and what the pipeline's select: exclude_files lists. Links and special files are listed as
special_file; filedir itself may be a link. A pool without any file is a missing_part,
unless the tables of the same run refer to no content. Owners, extended attributes and hard
links are not kept.`

// Stage is the registered source.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "files",
			Role:    stage.RoleSource,
			Summary: "Reads Moodle's file pool (filedir).",
			Doc:     doc,
			Parts:   []string{stage.Filedir},
			Config:  func() any { return &Config{} },
		},
		NewSource: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.Source, error) {
			return open(c)
		}),
	}
}
