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
	Include []string `key:"include" help:"include these, which are excluded by default: muc, antivirus_quarantine"`
	Follow  []string `key:"follow" help:"links below the data root to directories outside of it, to be read as directories" example:"[repository, lang/local]"`
}

// Followed returns the links that are read as directories.
func (c *Config) Followed() []string { return c.Follow }

// Validate checks the included and followed names.
func (c *Config) Validate() error {
	var errs []error
	for _, name := range c.Include {
		if !moodle.Optional(name) {
			errs = append(errs, config.At("include", "%q is not muc or antivirus_quarantine", name))
		}
	}
	return errors.Join(append(errs, filetree.CheckSetting("follow", c.Follow, "the data root"))...)
}

const doc = `Reads the data root: language packs, models, repositories and everything else.
Files, empty directories and symbolic links are backed up with their modes and modification
times; links stay links, and names may contain any bytes.

Excluded, and noted in the snapshot: filedir (the source files reads it), cache, localcache,
temp, sessions, trashdir, lock, lost+found, files of tests, names that start with a dot,
climaintenance.html (it would close the restored site), and, unless included, muc and
antivirus_quarantine. These rules apply only directly below the data root. A tempdir or
cachedir of config.php in the data root with another name must be listed in the pipeline's
select: exclude_files, and so must a backup destination.

A link out of the data root is backed up as a link, and its target is listed as
outside_link, because it is not backed up. List the link in follow to read its directory in
its place (it is restored as a directory), or in exclude_files to exclude it. A link
directly below the data root is listed even if its target does not exist, also through other
links, because a disk may not be mounted. Further down, a dangling link is kept and not
listed. In a followed directory only links that follow also lists are followed. No sink may
write to a followed directory. Other file systems mounted below the data root are read as
part of it.

A file that changes while it is read is read again; one that keeps changing is listed as
changed_file, one that cannot be read as unreadable_file, pipes, sockets and devices as
special_file. Owners, extended attributes and hard links are not kept, nor mode and time of
the data root itself and of symbolic links.`

// Stage is the registered source.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "dataroot",
			Role:    stage.RoleSource,
			Summary: "Reads the other files of Moodle's data root.",
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
