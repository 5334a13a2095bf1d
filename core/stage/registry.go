package stage

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// Role is where in a pipeline a stage stands.
type Role string

// The roles. A storage serves as source and as sink, through a repository.
const (
	RoleSource    Role = "source"
	RoleTransform Role = "transform"
	RoleSink      Role = "sink"
	RoleStorage   Role = "storage"
)

// Env is what a stage gets from its host.
type Env struct {
	Log     *slog.Logger
	TempDir string // a folder for temporary files, made and removed by the host
	Workers int    // how many units run at once
	Version string // of vault
}

// Info describes a stage: help, docs, schema and lint are made from it.
type Info struct {
	Name    string
	Role    Role
	Summary string // one sentence
	Doc     string // Markdown: what a user should know
	// Parts that a source gives or a sink holds (DB, Filedir …).
	Parts []string
	// Dialect of a database's tables: mysql, postgres, sqlite; "" for others.
	Dialect string
	// Seals reports that the output of a byte transform is encrypted and will not compress.
	Seals bool
	// Config returns a pointer to a new configuration struct, declared with the
	// tags of package config and holding the defaults.
	Config func() any
}

// Stage is a registered stage: its Info and how to make one from a decoded
// configuration (what Config returned). Exactly the constructor of its role is set.
type Stage struct {
	Info
	NewSource  func(ctx context.Context, cfg any, env Env) (Source, error)
	NewSink    func(ctx context.Context, cfg any, env Env) (Sink, error)
	NewRecord  func(ctx context.Context, cfg any, env Env) (RecordTransform, error)
	NewBytes   func(ctx context.Context, cfg any, env Env) (ByteTransform, error)
	NewStorage func(ctx context.Context, cfg any, env Env) (Storage, error)
}

// Registry holds the stages a program knows. Fill it first; reading is safe for
// concurrent use.
type Registry struct{ stages []Stage }

// NewRegistry makes a registry of these stages. Two of one name that could stand
// in the same place are a mistake of the programmer and an error.
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

// CanStand tells whether the stage can stand in a role; a storage can stand as
// source and as sink.
func (s *Stage) CanStand(role Role) bool { return s.Role == role || slices.Contains(s.roles(), role) }

func (s *Stage) roles() []Role {
	if s.Role == RoleStorage {
		return []Role{RoleSource, RoleSink}
	}
	return []Role{s.Role}
}

// Find returns the stage that can stand in a role under a name.
func (r *Registry) Find(role Role, name string) (Stage, bool) {
	for _, s := range r.stages {
		if s.Name == name && s.CanStand(role) {
			return s, true
		}
	}
	return Stage{}, false
}

// All lists the stages by name.
func (r *Registry) All() []Stage { return slices.Clone(r.stages) }
