// Command workshop is a plugin for tests: a storage in a directory, and a transform that
// inverts bits.
package main

import (
	"context"
	"errors"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/sdk"
	"github.com/lmsvault/vault/storages/local"
)

type config struct {
	Folder string   `key:"folder" required:"true" place:"dir" help:"where objects are kept" example:"/srv/x"`
	Colour string   `key:"colour" default:"red" oneof:"red green" help:"of the objects"`
	Tags   []string `key:"tags" help:"what to say of them"`
}

// Validate makes a check that only the plugin can make.
func (c *config) Validate() error {
	if c.Folder == "/forbidden" {
		return sdk.At("folder", "folder %s is not for you", c.Folder)
	}
	if c.Colour == "green" && len(c.Tags) == 0 {
		return errors.New("green needs tags")
	}
	return nil
}

type flip struct{}

func (flip) Apply(_ context.Context, dst, src []byte, _ string) ([]byte, error) {
	for _, b := range src {
		dst = append(dst, ^b)
	}
	return dst, nil
}

func (f flip) Invert(ctx context.Context, dst, src []byte, place string, _ int) ([]byte, error) {
	return f.Apply(ctx, dst, src, place)
}

func main() {
	storage := local.Stage()
	sdk.Main(sdk.Plugin{Name: "mystore", Version: "1.2.3", Stages: []sdk.Stage{
		sdk.StorageStage("mystore", "keeps objects in a folder", "It is *only* a test.", func(ctx context.Context, c *config, env sdk.Env) (stage.Storage, error) {
			return storage.NewStorage(ctx, &local.Config{Dir: c.Folder}, env)
		}),
		sdk.ByteStage("flip", "turns bits around", "It is *only* a test.", func(context.Context, *struct{}, sdk.Env) (stage.ByteTransform, error) { return flip{}, nil }),
	}})
}
