package sdk

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// roleOf tells a stage's role, which must be that of its only constructor.
func roleOf(s Stage) (role pb.Role, err error) {
	if s.Expand != nil {
		return 0, fmt.Errorf("the stage %s is a composite, which a plugin can't have", s.Name)
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
			return 0, fmt.Errorf("the stage %s has role %s and the constructor of a %s", s.Name, s.Role, c.role)
		}
		role = c.pb
	}
	if n != 1 {
		return 0, fmt.Errorf("the stage %s must have exactly one constructor, and has %d", s.Name, n)
	}
	return role, nil
}

// open makes the stage.
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

// capabilities lists what else an instance can.
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
	if k, ok := made.(stage.Keyed); ok {
		can = append(can, "keyed")
		if k.CanOpen() {
			can = append(can, "can-open")
		}
	}
	return can
}

// sdkVersion tells what a plugin was written with.
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
