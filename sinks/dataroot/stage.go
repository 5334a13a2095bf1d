// Package dataroot writes the files of a Moodle data root, but for the file pool
// and what Moodle makes again by itself.
package dataroot

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
)

// Config is the configuration of the sink dataroot.
type Config struct {
	Dir    string `key:"dir" required:"true" help:"the data root to write; made if it isn't there" example:"/var/moodledata"`
	Owner  string `key:"owner" default:"user" oneof:"user keep" help:"whom files belong to: to the user who runs Vault, or, with keep, to whom they belonged; keep needs root"`
	Setuid bool   `key:"keep_setuid" help:"restore the setuid and setgid bits of files also where the owner is not restored; a file then runs with the rights of the user who restores"`
}

const doc = `Writes the data root: files, empty directories and symbolic links with modes and
modification times. Each file is written under a temporary name, read back and
compared with its checksum, and only then named; all are durable before the restore
counts as finished. Nothing outside the directory is touched, whatever the names in
the snapshot are, and no link is followed. While the directory is incomplete it holds
a file .vault-restoring; an interrupted restore is repeated with replace: true. A
finished restore leaves a file .vault-restored.

replace: true makes the new tree in the directory .vault-swap beside the old one and
exchanges the entries of both when the run is proven. The data root itself is never
renamed: it may be a mount point, or mounted into a container. Whatever fails before
leaves the old tree as it was. A run that dies during the exchange leaves the mark and
a journal; the next run puts the old tree back, then restores. What else lies in
.vault-swap is removed by the next run, and no backup holds it. Room for both is
needed; replace: in_place removes the old tree first, and whatever fails then, also an
entry of a damaged snapshot that may not be restored, leaves none. What is mounted in
the old tree must be unmounted or preserved.

A directory is replaced only if Moodle has used it as its data
root (it holds filedir, localcache, muc or trashdir), or if it is an earlier restore
of one; vault plan counts and names what goes. The first line of both marks names the
part, "part: dataroot"; a mark of another part is refused. filedir, cache, sessions,
lost+found and all else that a backup leaves out stays as it is in the target, and so
do the paths in preserve, relative to the data root: what the snapshot has below those
is not written.

Files lose their setuid and setgid bits; directories keep theirs. Directories get
their modes when the restore finishes; until then only the user who restores can enter
them. Files belong to that user: restore as the web server's user, or change the owner
afterwards, or run as root with owner: keep.

owner: keep gives each file, directory and link the user and group that it had, by
number, and reads them back; files keep their setuid and setgid bits then. The data
root itself gets the owner that most entries have if the restore makes it, or if it
belongs to root and its group. Numbers mean the same users only on the same machine,
or on one that was set up like it. Entries of an older snapshot, whose owner is not
known, belong to root, and a note counts them.`

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
		NewSink: stage.Typed(func(_ context.Context, c *Config, env stage.Env) (stage.Sink, error) {
			return open(c, env)
		}),
	}
}
