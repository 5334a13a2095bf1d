// Package dataroot writes the files of a Moodle data root, except the file pool and
// what Moodle recreates itself.
package dataroot

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
)

// Config is the configuration of the sink dataroot.
type Config struct {
	Dir   string `key:"dir" required:"true" help:"the data root to write; created if missing" example:"/var/moodledata"`
	Owner string `key:"owner" default:"user" oneof:"user keep" help:"owner of restored files: user for the user who runs Vault, keep for the original owner, which needs root"`
	// StaysClosed leaves opening the site to the action maintenance.
	StaysClosed bool `key:"stays_closed" help:"after a restore with replace: true, leave the site closed for visitors until the action maintenance opens it (mode: off); otherwise it is opened as soon as all parts are in place"`
	Setuid      bool `key:"keep_setuid" help:"restore the setuid and setgid bits of files even if the owner is not restored; such a file runs with the rights of the restoring user"`
}

const doc = `Writes the data root: files, empty directories and symbolic links with modes
and modification times. Each file is written under a temporary name, read back and compared
with its checksum, and only then renamed; all files are durable before the restore counts as
finished. Nothing outside the directory is touched, whatever the names in the snapshot, and
no link is followed. While the directory is incomplete it holds a file .vault-restoring; an
interrupted restore is repeated with replace: true. A finished restore leaves a file
.vault-restored.

replace: true creates the new tree in the directory .vault-swap beside the old one and
exchanges the entries of both when all parts of the site are proven, right after the
database. During the exchange a file climaintenance.html closes the site for visitors,
unless one is there already. The data root itself is never renamed: it may be a mount point,
or mounted into a container. Any earlier failure leaves the old tree unchanged. A run that
dies during the exchange leaves the site closed, with the marker and a journal; the next run
or vault recover completes the exchange if the database is the new one, and undoes it
otherwise. No backup contains .vault-swap. A climaintenance.html in a snapshot is left out. Both need disk space; replace: in_place removes the
old tree first, and any failure after that, such as an invalid entry of a damaged snapshot,
leaves none. Unmount or preserve anything mounted in the old tree.

A directory is replaced only if Moodle has used it as its data root (it holds filedir,
localcache, muc or trashdir), or if it is an earlier restore of one; vault plan lists what
would be removed. The first line of both markers names the part, "part: dataroot"; a marker
of another part is refused. filedir, cache, sessions, lost+found and everything else that
backups exclude stay unchanged in the target. So do the paths in preserve, relative to the
data root; nothing below them is written.

Files lose their setuid and setgid bits; directories keep theirs. Directories get their
modes when the restore finishes; until then only the user who restores can enter them. Files
belong to that user: restore as the web server's user, or change the owner afterwards, or
run as root with owner: keep.

owner: keep gives each file, directory and link the user and group that it had, as numbers,
and verifies them; files keep their setuid and setgid bits then. The data root itself gets
the owner that most entries have if the restore makes it, or if it belongs to root and its
group. User and group IDs refer to the same users only on the same machine, or on one with
the same accounts. Entries of an older snapshot, whose owner is not known, belong to root,
and a note counts them.`

// Stage is the registered sink.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "dataroot",
			Role:    stage.RoleSink,
			Summary: "Writes the other files of Moodle's data root.",
			Doc:     doc,
			Parts:   []string{stage.Dataroot},
			Config:  func() any { return &Config{} },
		},
		NewSink: stage.Typed(func(_ context.Context, c *Config, env stage.Env) (stage.Sink, error) {
			return open(c, env)
		}),
	}
}
