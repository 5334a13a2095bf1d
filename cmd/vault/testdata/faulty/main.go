// Command faulty is a plugin for tests: a storage in a directory with a fault that its
// settings select.
package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/sdk"
	"github.com/lmsvault/vault/storages/local"
)

// Settings is the configuration of the storage.
type Settings struct {
	Dir   string `key:"dir" required:"true" help:"the directory that holds the objects" example:"/srv/backups"`
	Fault string `key:"fault" oneof:"torn range" required:"true" help:"what it does wrong"`
}

// Target is the configuration of the sink.
type Target struct {
	File    string `key:"file" required:"true" help:"the file"`
	Replace bool   `key:"replace" help:"replace what is there"`
}

type faulty struct {
	sdk.Storage
	settings *Settings
}

// Put writes slowly and in place: if it is killed, a partial object remains.
func (f faulty) Put(ctx context.Context, name string, data []byte) (err error) {
	if f.settings.Fault != "torn" {
		return f.Storage.Put(ctx, name, data)
	}
	path := filepath.Join(f.settings.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for piece := range slices.Chunk(data, 128<<10) {
		if _, err := file.Write(piece); err != nil {
			return err
		}
		<-time.After(time.Millisecond)
	}
	return nil
}

// Get reads from one byte before the offset if the fault is "range".
func (f faulty) Get(ctx context.Context, dst []byte, name string, offset, length int64) ([]byte, error) {
	if f.settings.Fault == "range" && offset > 0 {
		offset--
	}
	return f.Storage.Get(ctx, dst, name, offset, length)
}

func open(ctx context.Context, s *Settings, env sdk.Env) (sdk.Storage, error) {
	inner, err := local.Stage().NewStorage(ctx, &local.Config{Dir: s.Dir}, env)
	return faulty{inner, s}, err
}

func main() {
	sdk.Main(sdk.Plugin{Name: "faulty", Version: "1.0.0", Stages: []sdk.Stage{
		sdk.StorageStage("faulty", "Keeps objects in a directory, and not as it should.", "", open),
		sdk.SinkStage("replacing", "Replaces a file.", "", []string{stage.Filedir}, func(context.Context, *Target, sdk.Env) (sdk.Sink, error) {
			return nil, errors.New("this sink only has settings")
		}),
	}})
}
