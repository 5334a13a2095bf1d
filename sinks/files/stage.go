// Package files writes a Moodle file pool (filedir).
package files

import (
	"context"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
)

// Config is the configuration of the sink files.
type Config struct {
	Dir     string `key:"dir" required:"true" help:"the file pool to write: the directory filedir in the site's data root; made if it isn't there" example:"/var/moodledata/filedir"`
	Replace bool   `key:"replace" help:"remove what is in the directory first; otherwise it must be empty"`
}

const doc = `Writes Moodle's file pool. Files are written under temporary names, made durable,
read back and compared with their checksum, and only then named. Nothing outside
the directory is touched, whatever the names in the snapshot are, and no link is
followed. While the directory is not whole it holds a file .vault-restoring; what
ended early is done again with replace: true.

Modes and times of files are restored. Folders get the mode of the directory
itself, files belong to the user who restores: do it as the web server's user, or
change the owner afterwards.`

// Stage is the registered sink.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "files",
			Role:    stage.RoleSink,
			Summary: "Moodle's file pool (filedir)",
			Doc:     doc,
			Parts:   []string{stage.Filedir},
			Config:  func() any { return &Config{} },
		},
		NewSink: func(_ context.Context, cfg any, env stage.Env) (stage.Sink, error) {
			return open(cfg.(*Config), env)
		},
	}
}

func open(cfg *Config, env stage.Env) (stage.Sink, error) {
	return filetree.NewSink(cfg.Dir, cfg.Replace, env.TempDir, filetree.Layout{
		Part:       stage.Filedir,
		Holds:      func(string) (bool, error) { return true, nil },
		Keeping:    func(string) filetree.Keeping { return filetree.Remove },
		Overwrites: func(string) bool { return false },
	})
}
