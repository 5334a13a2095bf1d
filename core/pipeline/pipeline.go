// Package pipeline reads pipeline files and finds what is wrong with them,
// without connecting to anything that they name.
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
	File string // as it was named, for messages
	Dir  string // where relative paths begin
	Name string
	Settings
	Selection               selection.Selection // what the sources read
	Source, Transform, Sink []Step
	Before, After           []Step      // actions, in the order in which they run
	Composites              []Composite // what of the file stands for other steps
	// Passphrase and Identity are those of the transform that encrypts, where
	// Options.Storages was set and they could be read.
	Passphrase, Identity config.Secret
	// Hidden is what messages, logs and results must not show: secrets, and what
	// came from the environment or from files.
	Hidden []string
}

// Step is a stage in a pipeline with its configuration.
type Step struct {
	Stage  stage.Stage
	Role   stage.Role        // where it stands: RoleSource, RoleTransform, RoleSink, also for a storage, or RoleAction
	Name   string            // of an action, or of a part of a composite; "" for others
	Of     string            // the composite that it is a part of; "" for none
	When   string            // when an action runs: see BeforeKeys and AfterKeys
	Config any               // what Stage.Config returned, decoded
	From   *SnapshotConfig   // what a storage reads as a source; nil elsewhere
	Into   *RepositoryConfig // how a storage is written as a sink; nil elsewhere
	Onto   *TargetConfig     // what becomes of what another sink's target holds; nil elsewhere
	At     config.Position   // of the step in the file; of a part, that of its composite

	node   string                     // the path of the step in the file: source[0]
	keys   map[string]config.Position // where its settings stand
	places map[string]config.Place

	process   process // of a composite: how its parts run, and where that is said
	processAt map[string]config.Position
}

// Label is what messages and results call the step: its stage's name, the name of an
// action, and COMPOSITE/NAME of a part.
func (s *Step) Label() string {
	switch {
	case s.Of != "":
		return s.Of + "/" + s.Name
	case s.Name != "":
		return s.Name
	}
	return s.Stage.Name
}

// SnapshotConfig is what a storage takes beside its own settings when it
// is used as a source.
type SnapshotConfig struct {
	Snapshot   string        `key:"snapshot" default:"latest" help:"which snapshot: latest, an id as vault snapshots lists them, or the beginning of one"`
	Site       string        `key:"site" open:"true" help:"of which site latest is, by its identifier or its name; needed where the repository has snapshots of several" example:"Example School"`
	Pipeline   string        `key:"pipeline" open:"true" help:"of which pipeline latest is, by its name; needed where the repository has snapshots of several" example:"nightly"`
	Passphrase config.Secret `key:"passphrase" help:"the passphrase that the backup was encrypted with" example:"${env:LMSVAULT_PASSPHRASE}"`
	Identity   config.Secret `key:"identity" help:"an age identity (AGE-SECRET-KEY-1…) of one of the recipients of the backup" example:"${file:/etc/vault/identity}"`
	Signers    []string      `key:"signers" help:"public keys (vault-signer-…): read only snapshots that one of them has signed; latest skips the others" example:"[vault-signer-…]"`
}

// Validate checks the public keys. An empty list is an error: it reads like a check
// of signatures, and would be none.
func (c *SnapshotConfig) Validate() error {
	if c.Signers != nil && len(c.Signers) == 0 {
		return config.At("signers", "signers is an empty list; give a public key (vault-signer-…), or remove the line to restore without checking signatures")
	}
	_, err := c.Trusted()
	return err
}

// Trusted are the signers that are given.
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

// RepositoryConfig is what a storage takes beside its own settings when it
// is used as a sink.
type RepositoryConfig struct {
	Create bool `key:"create" default:"false" help:"as a sink: make the repository when there is none; without it such a run is refused, and vault init-repository makes it"`
	// SigningKey is the zero value where snapshots are not signed.
	SigningKey config.Secret `key:"signing_key" help:"as a sink: sign the snapshots with this key, which vault key new makes, so that a restore can tell them from forged ones" example:"${file:/etc/vault/signing.key}"`
}

// Validate checks the signing key.
func (c *RepositoryConfig) Validate() error {
	_, err := c.Signing()
	return err
}

// Signing is the key that is given; the zero value for none.
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

// TargetConfig is what a sink that is no storage takes beside its own settings. A
// stage that declares settings of these names gets them instead.
type TargetConfig struct {
	Replace  string   `key:"replace" default:"false" oneof:"false true in_place" help:"what becomes of a site that the target holds: false refuses it; true makes the new site beside it and exchanges the two when the new one is proven; in_place removes the old one first, for a target without room for both"`
	Preserve []string `key:"preserve" help:"what of it stays as it is"`
}

// Settings are those of a run. The command line may override them.
type Settings struct {
	// Workers is 0 where nothing is said: DefaultWorkers then.
	Workers int `key:"workers" min:"1" max:"256" help:"how many units of work run at once; without it twice the number of processors, lowered to what the memory allows"`
	// Memory is DefaultMemory where nothing is said.
	Memory config.Size `key:"memory" min:"128MiB" help:"how much memory the process may use; without it 256MiB, or three quarters of what its container may use if that is less"`
	DryRun bool        `key:"dry_run" default:"false" help:"read and check everything, write nothing"`
	// MaxShrink is in percent of the previous snapshot; 100 for no limit.
	MaxShrink int `key:"max_shrink" default:"50" min:"0" max:"100" help:"by how many percent a part (db, filedir, dataroot) may be smaller than in the previous snapshot, before that is a loss of kind missing_part; 100 for no limit"`
	// Tags are kept in the snapshots that the run makes.
	Tags []string `key:"tags" open:"true" help:"what the snapshots of this run are marked with, to find, keep or forget them by it" example:"[weekly]"`
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

// DefaultMemory is what the process may use where nothing is said, and its
// control group allows limit bytes (0: any). With less than the least it would
// hardly work; then the limit is exceeded, perhaps.
func DefaultMemory(limit int64) config.Size {
	const most, least = 256 << 20, 96 << 20
	if limit == 0 {
		return most
	}
	return config.Size(max(least, min(most, limit/4*3>>20<<20)))
}

// DefaultWorkers is how many units of work run at once where nothing is said.
func DefaultWorkers() int { return max(2, 2*runtime.GOMAXPROCS(0)) }

// Steps lists all steps: sources, transforms, sinks, actions.
func (p *Pipeline) Steps() []*Step {
	var steps []*Step
	for _, list := range [][]Step{p.Source, p.Transform, p.Sink, p.Before, p.After} {
		for i := range list {
			steps = append(steps, &list[i])
		}
	}
	return steps
}

// storage tells whether the step is a repository.
func (s *Step) storage() bool { return s.Stage.Role == stage.RoleStorage }
