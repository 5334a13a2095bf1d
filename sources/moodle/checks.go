package moodle

import (
	"path/filepath"
	"slices"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
)

// checkSettings say which checks are performed before every backup.
type checkSettings struct {
	SkipChecks  []string `key:"skip_checks" help:"IDs of checks to leave out, as vault check --list shows them; for example to continue although one fails" example:"[upgrade]"`
	VerifyFiles bool     `key:"verify_files" help:"before the backup, read all files and compare their SHA-1; otherwise only their sizes are compared, and the SHA-1 while the backup reads them"`
}

// checks returns the action that checks the site before it is backed up.
func (c *Config) checks(o *origin) stage.Part {
	p := o.address.Action("check", "check-backup")
	p.When = string(stage.MomentPlanned)
	skip := slices.Clone(c.SkipChecks)
	if c.reads(stage.Dataroot) {
		p.Settings["dataroot"] = o.dataroot
	}
	if c.reads(stage.Filedir) {
		p.Settings["filedir"] = filepath.Join(o.dataroot, moodle.FiledirName)
	} else {
		skip = append(skip, "missing-files", "wrong-files")
	}
	p.Settings["dir"] = c.Dir
	if c.Address != "" {
		p.Settings["address"] = c.Address
	}
	if len(c.Settings) > 0 {
		p.Settings["settings"] = c.Settings
	}
	if c.VerifyFiles {
		p.Settings["verify_files"] = true
	}
	if len(skip) > 0 {
		p.Settings["skip"] = skip
	}
	return p
}
