// Package dataroot writes the files of a Moodle data root, but for the file pool
// and what Moodle makes again by itself.
package dataroot

import (
	"context"
	"errors"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
)

// Config is the configuration of the sink dataroot.
type Config struct {
	Dir      string   `key:"dir" required:"true" help:"the data root to write; made if it isn't there" example:"/var/moodledata"`
	Replace  bool     `key:"replace" help:"if it is a data root, remove what is there first, but for what a backup leaves out and what is preserved; otherwise there must be nothing else"`
	Preserve []string `key:"preserve" help:"paths below the data root that stay as they are in the target" example:"[lang/de_local]"`
	Setuid   bool     `key:"keep_setuid" help:"restore the setuid and setgid bits of files; a file then runs with the rights of the user who restores"`
}

// Validate checks the paths that are preserved.
func (c *Config) Validate() error {
	var errs []error
	for _, path := range c.Preserve {
		if err := filetree.CheckPath(path); err != nil {
			errs = append(errs, config.At("preserve", "%w; write it relative to the data root", err))
		}
	}
	return errors.Join(errs...)
}

const doc = `Writes the data root: files, empty directories and symbolic links with modes and
modification times. Each file is written under a temporary name, read back and
compared with its checksum, and only then named; all are durable before the restore
counts as finished. Nothing outside the directory is touched, whatever the names in
the snapshot are, and no link is followed. While the directory is incomplete it holds
a file .vault-restoring; an interrupted restore is repeated with replace: true. A
finished restore leaves a file .vault-restored.

replace: true removes what is in the directory only if Moodle has used it as its data
root (it holds filedir, localcache, muc or trashdir), or if it is an earlier restore
of one; vault plan counts and names what goes. The first line of both marks names the
part, "part: dataroot"; a mark of another part is refused. filedir, cache, sessions,
lost+found and all else that a backup leaves out stays as it is in the target, and so
do the preserved paths: what the snapshot has below those is not written.

Files lose their setuid and setgid bits; directories keep theirs. Directories get
their modes when the restore finishes; until then only the user who restores can enter
them. Files belong to that user: restore as the web server's user, or change the owner
afterwards.`

// Stage is the registered sink.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "dataroot",
			Role:    stage.RoleSink,
			Summary: "the other files of Moodle's data root",
			Doc:     doc,
			Parts:   []string{stage.Dataroot},
			Config:  func() any { return &Config{} },
		},
		NewSink: func(_ context.Context, cfg any, env stage.Env) (stage.Sink, error) {
			return open(cfg.(*Config), env)
		},
	}
}
