package snapshotcmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/storages/local"
)

// location is the location of a repository and the keys to open it.
type location struct {
	stage                stage.Stage // a storage
	config               any
	stages               cli.Finder
	passphrase, identity config.Secret // from a pipeline file, like the fields below
	site, pipeline       string        // of the latest snapshot
	signers              []manifest.Signer
	signing              manifest.SigningKey // of the sink for this storage
	owner                bool                // see engine.Keys
}

// isPipelineFile reports whether an argument is a pipeline file, by its extension.
func isPipelineFile(path string) bool {
	info, err := os.Stat(path)
	return slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(path)) && (err != nil || !info.IsDir())
}

// locate finds the repository of an argument: a directory, or a pipeline file.
func locate(a *cli.App, cmd *cobra.Command, path string, keys cli.KeyFlags) (location, error) {
	if path == "" {
		return location{}, failure.New(failure.Usage, "the repository's directory is empty; is a shell variable not set?")
	}
	if odd := config.Misreading(path); odd != nil {
		return location{}, failure.New(failure.Usage, "the repository's directory %s; %s", odd.Problem, odd.AdviceForArg())
	}
	info, err := os.Stat(path)
	isPipeline := slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(path))
	if errors.Is(err, fs.ErrNotExist) && isPipeline {
		return stored(a, cmd, path, keys) // returns the error for a missing file
	}
	if err == nil && !info.IsDir() {
		if !info.Mode().IsRegular() || !isPipeline {
			return location{}, failure.New(failure.Usage, "repository %s: neither a directory nor a pipeline file (.yaml)", path)
		}
		return stored(a, cmd, path, keys)
	}
	given, err := cli.Sets(cmd)
	if err != nil {
		return location{}, err
	}
	if len(given) > 0 {
		return location{}, failure.New(failure.Usage, "--set is for pipeline files, and %s is a directory", path)
	}
	registry, err := a.Working()
	if err != nil {
		return location{}, err
	}
	s, ok := registry.Find(stage.RoleSource, local.Stage().Name)
	if !ok {
		return location{}, failure.New(failure.Usage, "this vault was built without the storage %s", local.Stage().Name)
	}
	return location{stage: s, config: &local.Config{Dir: path}, stages: cli.Finder{Registry: registry, Plugins: a.Plugins(cmd.Context()), Base: "."}}, nil
}

// stored finds the storage of a pipeline, which must have exactly one.
func stored(a *cli.App, cmd *cobra.Command, file string, keys cli.KeyFlags) (location, error) {
	hasKeys := cmd.Flags().Changed(keys.Prefix+"passphrase-file") || cmd.Flags().Changed(keys.Prefix+"identity-file")
	p, err := a.Load(cmd, file, pipeline.Options{Storages: true, HasKeys: hasKeys})
	if err != nil {
		return location{}, err
	}
	var found []*pipeline.Step
	for _, s := range p.Steps() {
		if s.Stage.Role == stage.RoleStorage {
			found = append(found, s)
		}
	}
	switch len(found) {
	case 0:
		return location{}, failure.New(failure.Usage, "pipeline %s has no storage, so it names no repository", file)
	case 1:
	default:
		return location{}, failure.New(failure.Usage, "pipeline %s has %d storages (%s in line %d, %s in line %d); give a file with exactly one",
			file, len(found), found[0].Stage.Name, found[0].At.Line, found[1].Stage.Name, found[1].At.Line)
	}
	registry, err := a.Working()
	if err != nil {
		return location{}, err
	}
	at := location{stage: found[0].Stage, config: found[0].Config, stages: cli.Finder{Registry: registry, Plugins: a.Plugins(cmd.Context()), Base: p.Dir}, passphrase: p.Passphrase, identity: p.Identity}
	if from := found[0].From; from != nil {
		at.passphrase, at.identity, at.site, at.pipeline = from.Passphrase, from.Identity, from.Site, from.Pipeline
		if at.signers, err = from.Trusted(); err != nil {
			return location{}, err
		}
	}
	if into := found[0].Into; into != nil {
		if at.signing, err = into.Signing(); err != nil {
			return location{}, err
		}
	}
	return at, nil
}
