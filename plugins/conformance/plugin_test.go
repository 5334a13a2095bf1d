package conformance

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lmsvault/vault/actions/command"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/sinks/files"
	"github.com/lmsvault/vault/sources/sample"
	"github.com/lmsvault/vault/storages/local"
	"github.com/lmsvault/vault/transforms/compress"
	"github.com/lmsvault/vault/transforms/typemap"
)

// Built-in stages pass when only a configuration is known, and leave a shared directory
// unchanged.
func TestBuiltInStagesPassAsPlugins(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(t.TempDir(), "filedir")
	as := func(s stage.Stage, cfg any) Plugin {
		return Plugin{Stage: s, Config: func() (any, error) { return cfg, nil }, Env: stage.Env{Workers: 2}}
	}
	small := sample.Defaults()
	small.Factor = "0.1"
	for name, p := range map[string]Plugin{
		"local":    as(local.Stage(), &local.Config{Dir: dir}),
		"files":    as(files.Stage(), &files.Config{Dir: target}),
		"sample":   as(sample.Stage(), &small),
		"compress": as(compress.Stage(), &compress.Config{Codec: "zstd"}),
		"command":  as(command.Stage(), &command.Config{Argv: []string{"rm", "-rf", dir}, Timeout: config.Duration(time.Minute)}),
		"typemap":  as(typemap.Stage(), &typemap.Config{Unknown: "text"}),
	} {
		t.Run(name, func(t *testing.T) { runAll(t, ForPlugin(p)) })
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("%s remains", path)
		}
		return err
	})
	must(t, "looking for remains", err)
}
