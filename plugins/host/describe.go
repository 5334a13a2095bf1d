package host

import (
	"context"
	"fmt"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// Description is the checked self-description of a plugin.
type Description struct {
	Name    string // a-z 0-9 -
	Version string // a semantic version (semver.org)
	SDK     string // the SDK it was built with, for support; may be ""
	Minor   int    // minor version of the protocol
	// Stages can be used like built-in ones. Their settings are declared and checked by the
	// plugin; instances run in its process.
	Stages []stage.Stage
}

// Describe starts the program if it is not running and asks for its description. Invalid
// declarations are an error that names the plugin and the problem. ctx is also used for
// later checks of settings.
func (h *Host) Describe(ctx context.Context, p Program) (*Description, error) {
	proc, err := h.process(ctx, p)
	if err != nil {
		return nil, err
	}
	var r *pb.DescribeResponse
	err = proc.ask(ctx, func(ctx context.Context, c pb.PluginClient) (err error) {
		r, err = c.Describe(ctx, &pb.DescribeRequest{HostVersion: h.Version, Minor: protocol.Minor})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("plugin %s: reading its description: %w", p.Name, err)
	}
	if err := validate(r); err != nil {
		return nil, fmt.Errorf("plugin %s: invalid description: %w", p.Name, err)
	}
	d := &Description{Name: r.Name, Version: r.Version, SDK: r.Sdk, Minor: int(r.Minor)}
	for _, m := range r.Stages {
		s, err := h.declared(ctx, p, m)
		if err != nil {
			return nil, fmt.Errorf("plugin %s: invalid description: stage %s: %w", p.Name, m.Name, err)
		}
		d.Stages = append(d.Stages, s)
	}
	return d, nil
}

// answer is how long a plugin may take to answer a call that requires no work.
const answer = 30 * time.Second

// ask makes a call that needs no open instance.
func (p *process) ask(ctx context.Context, call func(context.Context, pb.PluginClient) error) error {
	limited, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	err := call(limited, pb.NewPluginClient(p.conn))
	if limited.Err() != nil && ctx.Err() == nil && err != nil {
		return fmt.Errorf("no response within %v", answer)
	}
	return err
}

// declared makes a stage from its declaration.
func (h *Host) declared(ctx context.Context, p Program, m *pb.Stage) (stage.Stage, error) {
	validate := func(d *config.Declared) error {
		settings, err := config.Encode(d)
		if err != nil {
			return err
		}
		proc, err := h.process(ctx, p)
		if err != nil {
			return err
		}
		var r *pb.ValidateResponse
		err = proc.ask(ctx, func(ctx context.Context, c pb.PluginClient) (err error) {
			r, err = c.Validate(ctx, &pb.ValidateRequest{Stage: m.Name, Role: m.Role, Settings: settings})
			return err
		})
		if err != nil {
			return fmt.Errorf("plugin %s: checking the settings: %w", p.Name, err)
		}
		return protocol.Problem(r.Problems)
	}
	made, err := config.Dynamic(protocol.Fields(m), validate)
	if err != nil {
		return stage.Stage{}, err
	}
	s := stage.Stage{Info: stage.Info{
		Name: m.Name, Role: roleOf(m.Role), Summary: m.Summary, Doc: m.Doc,
		Parts: m.Parts, Dialect: m.Dialect, Seals: m.Seals, SecretFacts: m.SecretFacts, Config: made,
	}}
	mark(&s, m.Role)
	return h.Isolate(s, p), nil
}

// roleOf returns the role for a role of the protocol, or "" if it is unknown.
func roleOf(r pb.Role) stage.Role {
	switch r {
	case pb.Role_ROLE_SOURCE:
		return stage.RoleSource
	case pb.Role_ROLE_SINK:
		return stage.RoleSink
	case pb.Role_ROLE_STORAGE:
		return stage.RoleStorage
	case pb.Role_ROLE_RECORD_TRANSFORM, pb.Role_ROLE_BYTE_TRANSFORM:
		return stage.RoleTransform
	case pb.Role_ROLE_ACTION:
		return stage.RoleAction
	}
	return ""
}

// mark sets the constructor by which Isolate recognizes the kind of a stage. It is never
// called.
func mark(s *stage.Stage, role pb.Role) {
	switch role {
	case pb.Role_ROLE_SOURCE:
		s.NewSource = func(context.Context, any, stage.Env) (stage.Source, error) { return nil, errEnded }
	case pb.Role_ROLE_SINK:
		s.NewSink = func(context.Context, any, stage.Env) (stage.Sink, error) { return nil, errEnded }
	case pb.Role_ROLE_ACTION:
		s.NewAction = func(context.Context, any, stage.Env) (stage.Action, error) { return nil, errEnded }
	case pb.Role_ROLE_STORAGE:
		s.NewStorage = func(context.Context, any, stage.Env) (stage.Storage, error) { return nil, errEnded }
	case pb.Role_ROLE_RECORD_TRANSFORM:
		s.NewRecord = func(context.Context, any, stage.Env) (stage.RecordTransform, error) { return nil, errEnded }
	case pb.Role_ROLE_BYTE_TRANSFORM:
		s.NewBytes = func(context.Context, any, stage.Env) (stage.ByteTransform, error) { return nil, errEnded }
	}
}
