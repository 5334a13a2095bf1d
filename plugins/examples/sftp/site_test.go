package main

import (
	"bytes"
	"log/slog"
	"os"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/examples/internal/apart"
	datarootsink "github.com/lmsvault/vault/sinks/dataroot"
	filessink "github.com/lmsvault/vault/sinks/files"
	"github.com/lmsvault/vault/sinks/sqlite"
	"github.com/lmsvault/vault/sources/sample"
	"github.com/lmsvault/vault/transforms/compress"
	"github.com/lmsvault/vault/transforms/typemap"
)

// The example pipelines, with the plugin in its own process. The restore passes its proof
// for rows and files.
func TestBackupAndRestore(t *testing.T) {
	server := serve(t, "Subsystem sftp internal-sftp")
	reg, err := stage.NewRegistry(sample.Stage(), compress.Stage(), typemap.Stage(), sqlite.Stage(), filessink.Stage(), datarootsink.Stage(), apart.New(t, declared()).Stage())
	must(t, err)
	s := server.settings
	env := map[string]string{"SFTP_HOST": s.Host, "SFTP_HOST_KEY": s.HostKey, "SFTP_USER": s.User, "SFTP_KEY": s.PrivateKey.Reveal(), "SFTP_DIR": s.Dir}
	values := config.Values{Env: func(name string) (string, bool) { value, ok := env[name]; return value, ok }}
	var read [2]*run.Result
	for i, name := range []string{"try.yaml", "restore.yaml"} {
		file, err := os.ReadFile(name)
		must(t, err)
		p, found := pipeline.Parse(name, bytes.ReplaceAll(file, []byte("./vault-plugin-sftp"), []byte("sftp")), pipeline.Options{Registry: reg, Values: values})
		if p == nil {
			t.Fatal(found)
		}
		job, err := engine.Build(t.Context(), p, reg, stage.Env{Log: slog.New(slog.DiscardHandler), TempDir: t.TempDir()}, progress.Silent{})
		must(t, err)
		read[i], err = job.Run(t.Context())
		must(t, err)
		must(t, job.Close(t.Context()))
		values.Set = map[string]string{"dir": t.TempDir()} // for restore.yaml
	}
	if backup, restore := read[0].Counts, read[1].Counts; backup.Rows == 0 || backup.Files == 0 || restore.Rows != backup.Rows || restore.Files != backup.Files {
		t.Errorf("backed up %+v, restored %+v", backup, restore)
	}
}
