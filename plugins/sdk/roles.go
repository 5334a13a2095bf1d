package sdk

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// roleOf returns the role of a stage, which must have exactly the constructor of its role.
func roleOf(s Stage) (role pb.Role, err error) {
	if s.Expand != nil {
		return 0, fmt.Errorf("stage %s is a composite, which a plugin can't have", s.Name)
	}
	n := 0
	for _, c := range []struct {
		set  bool
		role stage.Role
		pb   pb.Role
	}{
		{s.NewSource != nil, stage.RoleSource, pb.Role_ROLE_SOURCE},
		{s.NewSink != nil, stage.RoleSink, pb.Role_ROLE_SINK},
		{s.NewStorage != nil, stage.RoleStorage, pb.Role_ROLE_STORAGE},
		{s.NewRecord != nil, stage.RoleTransform, pb.Role_ROLE_RECORD_TRANSFORM},
		{s.NewBytes != nil, stage.RoleTransform, pb.Role_ROLE_BYTE_TRANSFORM},
		{s.NewAction != nil, stage.RoleAction, pb.Role_ROLE_ACTION},
	} {
		if !c.set {
			continue
		}
		if n++; c.role != s.Role {
			return 0, fmt.Errorf("stage %s has role %s but the constructor of a %s", s.Name, s.Role, c.role)
		}
		role = c.pb
	}
	if n != 1 {
		return 0, fmt.Errorf("stage %s has %d constructors, want exactly one", s.Name, n)
	}
	return role, nil
}

// open makes an instance of the stage.
func open(ctx context.Context, s Stage, cfg any, env Env) (any, error) {
	switch {
	case s.NewSource != nil:
		return s.NewSource(ctx, cfg, env)
	case s.NewSink != nil:
		return s.NewSink(ctx, cfg, env)
	case s.NewStorage != nil:
		return s.NewStorage(ctx, cfg, env)
	case s.NewRecord != nil:
		return s.NewRecord(ctx, cfg, env)
	case s.NewAction != nil:
		return s.NewAction(ctx, cfg, env)
	}
	return s.NewBytes(ctx, cfg, env)
}

// capabilities lists the optional interfaces of an instance.
func capabilities(made any) []string {
	var can []string
	if _, ok := made.(stage.Capacity); ok {
		can = append(can, "free")
	}
	if _, ok := made.(stage.Creator); ok {
		can = append(can, "create")
	}
	if _, ok := made.(stage.BaselineSink); ok {
		can = append(can, "baseline")
	}
	if _, ok := made.(stage.Noter); ok {
		can = append(can, "notes")
	}
	if _, ok := made.(stage.Joiner); ok {
		can = append(can, "join")
	}
	if _, ok := made.(stage.Counter); ok {
		can = append(can, "count")
	}
	if _, ok := made.(stage.Exposer); ok {
		can = append(can, "expose")
	}
	if _, ok := made.(stage.Decider); ok {
		can = append(can, "decide")
	}
	if _, ok := made.(stage.Recoverer); ok {
		can = append(can, "recover")
	}
	if _, ok := made.(stage.Preparer); ok {
		can = append(can, "prepare")
	}
	if _, ok := made.(stage.Adder); ok {
		can = append(can, "adds")
	}
	if k, ok := made.(stage.Keyed); ok {
		can = append(can, "keyed")
		if k.CanOpen() {
			can = append(can, "can-open")
		}
	}
	return can
}

// sdkVersion returns the version of the SDK that a plugin was built with.
func sdkVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "go"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == "github.com/lmsvault/vault" {
			return "go " + m.Version
		}
	}
	return "go"
}
