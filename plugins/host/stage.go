package host

import (
	"context"
	"fmt"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// Isolate returns the stage as one that runs in a process of the program, which serves a
// stage of the same name and role.
func (h *Host) Isolate(s stage.Stage, p Program) stage.Stage {
	out := stage.Stage{Info: s.Info}
	switch {
	case s.NewStorage != nil:
		out.NewStorage = func(ctx context.Context, cfg any, env stage.Env) (stage.Storage, error) {
			i, err := h.open(ctx, p, s.Info, pb.Role_ROLE_STORAGE, cfg, env)
			if err != nil {
				return nil, err
			}
			i.repeat = true
			if i.has("free") {
				return measured{storage{i}}, nil
			}
			return storage{i}, nil
		}
	case s.NewBytes != nil:
		out.NewBytes = func(ctx context.Context, cfg any, env stage.Env) (stage.ByteTransform, error) {
			i, err := h.open(ctx, p, s.Info, pb.Role_ROLE_BYTE_TRANSFORM, cfg, env)
			if err != nil {
				return nil, err
			}
			i.repeat = true
			if i.has("keyed") {
				return newKeyed(i), nil
			}
			return byteTransform{i}, nil
		}
	case s.NewRecord != nil:
		out.NewRecord = func(ctx context.Context, cfg any, env stage.Env) (stage.RecordTransform, error) {
			i, err := h.open(ctx, p, s.Info, pb.Role_ROLE_RECORD_TRANSFORM, cfg, env)
			if err != nil {
				return nil, err
			}
			i.repeat = true
			return newRecord(i), nil
		}
	case s.NewAction != nil:
		out.NewAction = func(ctx context.Context, cfg any, env stage.Env) (stage.Action, error) {
			i, err := h.open(ctx, p, s.Info, pb.Role_ROLE_ACTION, cfg, env)
			if err != nil {
				return nil, err
			}
			return action{i}, nil
		}
	case s.NewSource != nil:
		out.NewSource = func(ctx context.Context, cfg any, env stage.Env) (stage.Source, error) {
			i, err := h.open(ctx, p, s.Info, pb.Role_ROLE_SOURCE, cfg, env)
			if err != nil {
				return nil, err
			}
			return sourceWith(&source{instance: i, parts: s.Parts}), nil
		}
	case s.NewSink != nil:
		out.NewSink = func(ctx context.Context, cfg any, env stage.Env) (stage.Sink, error) {
			i, err := h.open(ctx, p, s.Info, pb.Role_ROLE_SINK, cfg, env)
			if err != nil {
				return nil, err
			}
			return sinkWith(sink{i}), nil
		}
	}
	return out
}

// open opens an instance.
func (h *Host) open(ctx context.Context, p Program, info stage.Info, role pb.Role, cfg any, env stage.Env) (*instance, error) {
	settings, err := config.Encode(cfg)
	if err != nil {
		return nil, fmt.Errorf("stage %s: %w", info.Name, err)
	}
	i := &instance{host: h, program: p, facts: info.SecretFacts, opening: make(chan struct{}, 1), request: &pb.OpenRequest{
		Stage: info.Name, Role: role, Settings: settings, TempDir: env.TempDir, Workers: uint32(env.Workers), HostVersion: env.Version,
	}}
	if i.secrets, err = config.Secrets(cfg); err != nil {
		return nil, fmt.Errorf("stage %s: %w", info.Name, err)
	}
	if r, ok := cfg.(interface{ Reading() bool }); ok {
		i.request.Reading = r.Reading()
	}
	_, _, err = i.open(ctx)
	return i, err
}
