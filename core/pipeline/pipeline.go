// Package pipeline reads and checks pipeline files. It does not connect to the databases
// and repositories that they name.
package pipeline

import (
	"runtime"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// Pipeline is a decoded pipeline file.
type Pipeline struct {
	File string // name of the file, for messages
	Dir  string // directory that relative paths are relative to
	Name string
	Settings
	Selection               selection.Selection // tables, rows and files that the sources read
	Standing                selection.Selection // the part of Selection that is none of a person's, see stage.Expansion
	Source, Transform, Sink []Step
	Before, After           []Step      // actions, in the order in which they run
	Composites              []Composite // steps of the file that were expanded
	// Passphrase and Identity are the keys of the encrypting transform. They are set with
	// Options.Storages, if they could be read.
	Passphrase, Identity config.Secret
	// Hidden lists values that messages, logs and results must not show: secrets, and values
	// from the environment or from files.
	Hidden []string
	// Variables names the values of --set that the file uses.
	Variables []string
}

// Step is a stage in a pipeline with its configuration.
type Step struct {
	Stage  stage.Stage
	Role   stage.Role        // RoleSource, RoleTransform, RoleSink or RoleAction; a storage has RoleSource or RoleSink
	Name   string            // name of an action or of a part of a composite; otherwise ""
	Of     string            // composite that the step is a part of, or ""
	When   string            // when an action runs: start or planned, or one of the When constants
	Config any               // decoded settings, of the type that Stage.Config returns
	From   *SnapshotConfig   // settings of a storage as a source, else nil
	Into   *RepositoryConfig // settings of a storage as a sink, else nil
	Onto   *TargetConfig     // replace settings of a sink that is not a storage, else nil
	Rows   []Step            // transforms of rows that concern only this sink, of its composite
	At     config.Position   // position in the file; a part has that of its composite

	node   string                     // path of the step in the file: source[0]
	keys   map[string]config.Position // positions of its settings
	places map[string]config.Place

	process   process // of a composite: process keys of its parts, with their positions
	processAt map[string]config.Position
}

// Label returns the name of the step in messages and results: COMPOSITE/NAME for a part,
// the name of an action, otherwise the name of the stage.
func (s *Step) Label() string {
	switch {
	case s.Of != "":
		return s.Of + "/" + s.Name
	case s.Name != "":
		return s.Name
	}
	return s.Stage.Name
}

// SnapshotConfig holds the additional settings of a storage that is used as a source.
type SnapshotConfig struct {
	Snapshot   string        `key:"snapshot" default:"latest" help:"snapshot to read: latest, or an ID or its beginning as listed by vault snapshots"`
	Site       string        `key:"site" open:"true" help:"site of the latest snapshot, by identifier or name; required if the repository has snapshots of several sites" example:"Example School"`
	Pipeline   string        `key:"pipeline" open:"true" help:"pipeline of the latest snapshot; required if the repository has snapshots of several pipelines" example:"nightly"`
	Passphrase config.Secret `key:"passphrase" help:"passphrase of the backup" example:"${env:LMSVAULT_PASSPHRASE}"`
	Identity   config.Secret `key:"identity" help:"age identity (AGE-SECRET-KEY-1…) of a recipient of the backup" example:"${file:/etc/vault/identity}"`
	Signers    []string      `key:"signers" help:"public keys (vault-signer-…): read only snapshots signed with one of them; latest skips all others" example:"[vault-signer-…]"`
}

// Validate checks the public keys. An empty list is an error, because it would look like a
// check of signatures but check nothing.
func (c *SnapshotConfig) Validate() error {
	if c.Signers != nil && len(c.Signers) == 0 {
		return config.At("signers", "signers is an empty list; give a public key (vault-signer-…), or remove the line to restore without checking signatures")
	}
	_, err := c.Trusted()
	return err
}

// Trusted returns the parsed signers.
func (c *SnapshotConfig) Trusted() ([]manifest.Signer, error) {
	var signers []manifest.Signer
	for _, text := range c.Signers {
		s, err := manifest.ParseSigner(text)
		if err != nil {
			return nil, config.At("signers", "signers: %w", err)
		}
		signers = append(signers, s)
	}
	return signers, nil
}

// RepositoryConfig holds the additional settings of a storage that is used as a sink.
type RepositoryConfig struct {
	Create bool `key:"create" default:"false" help:"as a sink: create the repository if there is none; otherwise such a run is refused, and vault init-repository creates it"`
	// SigningKey is zero if snapshots are not signed.
	SigningKey config.Secret `key:"signing_key" help:"as a sink: sign snapshots with this key (see vault key new), so that a restore can detect forged ones" example:"${file:/etc/vault/signing.key}"`
}

// Validate checks the signing key.
func (c *RepositoryConfig) Validate() error {
	_, err := c.Signing()
	return err
}

// Signing returns the parsed signing key, or the zero value if there is none.
func (c *RepositoryConfig) Signing() (manifest.SigningKey, error) {
	if c.SigningKey.IsZero() {
		return manifest.SigningKey{}, nil
	}
	key, err := manifest.ParseSigningKey(c.SigningKey.Reveal())
	if err != nil {
		return key, config.At("signing_key", "signing_key: %w", err)
	}
	return key, nil
}

// TargetConfig holds the additional settings of a sink that is not a storage. A stage that
// declares settings with these names receives them itself.
type TargetConfig struct {
	Replace  string   `key:"replace" default:"false" oneof:"false true in_place" help:"what to do if the target holds a site: false refuses to run; true builds the new site next to the old one and swaps them once the new one is proven; in_place removes the old site first, for a target without room for both"`
	Preserve []string `key:"preserve" help:"what to keep of the site in the target"`
}

// Settings are the settings of a run. The command line may override them.
type Settings struct {
	// Workers is 0 if it is not set; see DefaultWorkers.
	Workers int `key:"workers" min:"1" max:"256" help:"number of units of work that run concurrently; default: twice the number of processors, fewer if memory is short"`
	// Memory is DefaultMemory if it is not set.
	Memory config.Size `key:"memory" min:"128MiB" help:"memory limit of the process; default: 256MiB, or three quarters of the limit of the container if that is less"`
	DryRun bool        `key:"dry_run" default:"false" help:"read and check everything, but write nothing"`
	// MaxShrink is a percentage of the previous snapshot; 100 means no limit.
	MaxShrink int `key:"max_shrink" default:"50" min:"0" max:"100" help:"percentage by which a part (db, filedir, dataroot) may shrink since the previous snapshot; more is a loss of kind missing_part; 100 for no limit"`
	// Tags are stored in the snapshots of the run.
	Tags []string `key:"tags" open:"true" help:"tags of the snapshots of this run, to find, keep or forget them by" example:"[weekly]"`
	// LogDir is the directory for logs of runs that change a site; see Pipeline.Logs.
	LogDir string `key:"log_dir" place:"dir" help:"directory for the logs of runs that write to a site, outside of what they replace; default: vault-logs beside this file" example:"/var/log/vault"`
	// Accept is the loss budget: the maximum number of losses of a kind.
	Accept map[stage.LossKind]int64
}

// Validate checks the tags.
func (s *Settings) Validate() error {
	for _, tag := range s.Tags {
		if err := manifest.ValidateTag(tag); err != nil {
			return config.At("tags", "tags: %w", err)
		}
	}
	return nil
}

// DefaultMemory returns the default memory limit in a control group with a limit in bytes,
// where 0 means none. The result has a lower bound and may exceed a very small limit.
func DefaultMemory(limit int64) config.Size {
	const most, least = 256 << 20, 96 << 20
	if limit == 0 {
		return most
	}
	return config.Size(max(least, min(most, limit/4*3>>20<<20)))
}

// DefaultWorkers returns the default number of units of work that run concurrently.
func DefaultWorkers() int { return max(2, 2*runtime.GOMAXPROCS(0)) }

// Steps returns all steps: sources, transforms, sinks with their transforms, and actions.
func (p *Pipeline) Steps() []*Step {
	var steps []*Step
	for _, list := range [][]Step{p.Source, p.Transform, p.Sink, p.Before, p.After} {
		for i := range list {
			steps = append(steps, &list[i])
			for k := range list[i].Rows {
				steps = append(steps, &list[i].Rows[k])
			}
		}
	}
	return steps
}

// storage reports whether the stage of the step is a storage.
func (s *Step) storage() bool { return s.Stage.Role == stage.RoleStorage }
