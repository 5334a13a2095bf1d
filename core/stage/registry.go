package stage

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// Role is the position of a stage in a pipeline.
type Role string

// The roles. A storage serves as source and as sink, through a repository.
const (
	RoleSource    Role = "source"
	RoleTransform Role = "transform"
	RoleSink      Role = "sink"
	RoleStorage   Role = "storage"
	RoleAction    Role = "action" // before or after the run
)

// Env is the environment that the host gives a stage.
type Env struct {
	Log     *slog.Logger
	TempDir string // directory for temporary files, created and removed by the host
	Workers int    // number of units that run at once
	Version string // version of Vault
}

// Info describes a stage. Help, documentation, JSON Schema and lint rules are made from it.
type Info struct {
	Name    string
	Role    Role
	Summary string // one sentence
	Doc     string // Markdown for users
	// Parts that a source reads or a sink holds (DB, Filedir …).
	Parts []string
	// Dialect of a database's tables: mysql, postgres, sqlite; "" if it has none.
	Dialect string
	// Seals reports that the output of a byte transform is encrypted and will not compress.
	Seals bool
	// SecretFacts names the secret facts, see SecretFacts, that a sink, a transform of rows or
	// an action needs. A stage in a process of its own gets no others.
	SecretFacts []string
	// Config returns a pointer to a new configuration struct with the defaults set,
	// declared with the tags of package config.
	Config func() any
}

// Stage is a registered stage: its Info and its constructor, which takes a decoded
// configuration as returned by Config. Only the constructor of its role is set;
// for a composite, Expand.
type Stage struct {
	Info
	NewSource  func(ctx context.Context, cfg any, env Env) (Source, error)
	NewSink    func(ctx context.Context, cfg any, env Env) (Sink, error)
	NewRecord  func(ctx context.Context, cfg any, env Env) (RecordTransform, error)
	NewBytes   func(ctx context.Context, cfg any, env Env) (ByteTransform, error)
	NewStorage func(ctx context.Context, cfg any, env Env) (Storage, error)
	NewAction  func(ctx context.Context, cfg any, env Env) (Action, error)
	Expand     ExpandFunc
}

// Registry holds the stages that a program knows. It does not change after NewRegistry and
// is safe for concurrent use.
type Registry struct{ stages []Stage }

// NewRegistry returns a registry of the given stages. It returns an error if two stages
// have the same name and role.
func NewRegistry(stages ...Stage) (*Registry, error) {
	r := &Registry{}
	for _, s := range stages {
		for _, role := range s.roles() {
			if _, ok := r.Find(role, s.Name); ok {
				return nil, fmt.Errorf("stage %s is registered twice as a %s", s.Name, role)
			}
		}
		r.stages = append(r.stages, s)
	}
	slices.SortStableFunc(r.stages, func(a, b Stage) int { return strings.Compare(a.Name, b.Name) })
	return r, nil
}

// CanStand reports whether the stage can be used in a role; a storage can be used as source
// and as sink.
func (s *Stage) CanStand(role Role) bool { return s.Role == role || slices.Contains(s.roles(), role) }

func (s *Stage) roles() []Role {
	if s.Role == RoleStorage {
		return []Role{RoleSource, RoleSink}
	}
	return []Role{s.Role}
}

// Find returns the stage that has the name and can be used in the role.
func (r *Registry) Find(role Role, name string) (Stage, bool) {
	for _, s := range r.stages {
		if s.Name == name && s.CanStand(role) {
			return s, true
		}
	}
	return Stage{}, false
}

// All returns the stages sorted by name.
func (r *Registry) All() []Stage { return slices.Clone(r.stages) }
