package dataroot

import (
	"context"
	"errors"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
)

// Config is the configuration of the source dataroot.
type Config struct {
	Dir     string   `key:"dir" required:"true" help:"the site's data root" example:"/var/moodledata"`
	Include []string `key:"include" help:"carry these, which are left out by default: muc, antivirus_quarantine"`
	Follow  []string `key:"follow" help:"links below the data root to directories outside it, which are read as directories" example:"[repository, lang/local]"`
}

// Followed returns the links below the directory that are read as directories.
func (c *Config) Followed() []string { return c.Follow }

// Validate checks the names that are included and followed.
func (c *Config) Validate() error {
	var errs []error
	for _, name := range c.Include {
		if !moodle.Optional(name) {
			errs = append(errs, config.At("include", "%q is not muc or antivirus_quarantine", name))
		}
	}
	return errors.Join(append(errs, filetree.CheckSetting("follow", c.Follow, "the data root"))...)
}

const doc = `Reads the data root: language packs, models, repositories and whatever else lies
there. Files, empty directories and symbolic links are carried with their modes
and modification times, links as links, names with any bytes.

Left out, and noted in the snapshot: filedir (the source files reads it), cache,
localcache, temp, sessions, trashdir, lock, lost+found, what tests left, names that start with
a dot, climaintenance.html (it would close the restored site), and, unless they
are included, muc and antivirus_quarantine. These rules hold directly below the
data root only. A tempdir or cachedir of config.php that lies in the data root
under another name belongs into the pipeline's select: exclude_files, and so does a
backup destination.

A link that leads out of the data root is carried as a link, and what lies behind it
is listed as outside_link, for it is in no backup. Name the link in follow to have
its directory read in its place (it is restored as a directory), or in exclude_files
to leave it out. A link directly below the data root is listed even if nothing is there
behind it, also where it leads out through other links: a disk may not be mounted.
Further down, a link to nothing is kept and not listed. In a followed directory only
links that follow names too are followed. No sink may write to a followed directory.
Other file systems that are mounted below the data root are read as a part of it.

A file that changes while it is read is read again; what never holds still is
listed as changed_file, what can't be read as unreadable_file, pipes, sockets and
devices as special_file. Owners, extended attributes and hard links are not kept,
nor mode and time of the data root itself and of symbolic links.`

// Stage is the registered source.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "dataroot",
			Role:    stage.RoleSource,
			Summary: "the other files of Moodle's data root",
			Doc:     doc,
			Parts:   []string{stage.Dataroot},
			Config:  func() any { return &Config{} },
		},
		NewSource: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.Source, error) {
			s, err := open(c)
			if err != nil {
				return nil, err
			}
			return s, nil
		}),
	}
}
