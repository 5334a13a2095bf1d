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

// Description is what a plugin says of itself, checked.
type Description struct {
	Name    string // a-z 0-9 -
	Version string // as semver.org has it
	SDK     string // what it was written with, for support; may be ""
	Minor   int    // the protocol's minor version that it speaks
	// Stages are complete: settings are declared as the plugin does it, and checked
	// by the plugin; what is made of them works in the program's process.
	Stages []stage.Stage
}

// Describe starts the program, if it doesn't run yet, and asks it what it is. What
// it declares is checked: an error names the plugin and what is wrong with it. ctx
// is also that of later checks of settings.
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
		return nil, fmt.Errorf("plugin %s does not tell what it is: %w", p.Name, err)
	}
	if err := validate(r); err != nil {
		return nil, fmt.Errorf("plugin %s declares what can't be: %w", p.Name, err)
	}
	d := &Description{Name: r.Name, Version: r.Version, SDK: r.Sdk, Minor: int(r.Minor)}
	for _, m := range r.Stages {
		s, err := h.declared(ctx, p, m)
		if err != nil {
			return nil, fmt.Errorf("plugin %s declares what can't be: stage %s: %w", p.Name, m.Name, err)
		}
		d.Stages = append(d.Stages, s)
	}
	return d, nil
}

// answer is how long a plugin may take to say something that needs no work.
const answer = 30 * time.Second

// ask makes a call that opens nothing.
func (p *process) ask(ctx context.Context, call func(context.Context, pb.PluginClient) error) error {
	limited, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	err := call(limited, pb.NewPluginClient(p.conn))
	if limited.Err() != nil && ctx.Err() == nil && err != nil {
		return fmt.Errorf("it does not answer within %v", answer)
	}
	return err
}

// declared makes a stage of its declaration.
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
			return fmt.Errorf("plugin %s can't check the settings: %w", p.Name, err)
		}
		return protocol.Problem(r.Problems)
	}
	made, err := config.Dynamic(protocol.Fields(m), validate)
	if err != nil {
		return stage.Stage{}, err
	}
	s := stage.Stage{Info: stage.Info{
		Name: m.Name, Role: roleOf(m.Role), Summary: m.Summary, Doc: m.Doc,
		Parts: m.Parts, Dialect: m.Dialect, Seals: m.Seals, Config: made,
	}}
	mark(&s, m.Role)
	return h.Isolate(s, p), nil
}

// roleOf is the role of a stage by that of the protocol; "" for one that is unknown.
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
	}
	return ""
}

// mark sets the constructor by which Isolate tells what a stage is; it is never called.
func mark(s *stage.Stage, role pb.Role) {
	switch role {
	case pb.Role_ROLE_SOURCE:
		s.NewSource = func(context.Context, any, stage.Env) (stage.Source, error) { return nil, errEnded }
	case pb.Role_ROLE_SINK:
		s.NewSink = func(context.Context, any, stage.Env) (stage.Sink, error) { return nil, errEnded }
	case pb.Role_ROLE_STORAGE:
		s.NewStorage = func(context.Context, any, stage.Env) (stage.Storage, error) { return nil, errEnded }
	case pb.Role_ROLE_RECORD_TRANSFORM:
		s.NewRecord = func(context.Context, any, stage.Env) (stage.RecordTransform, error) { return nil, errEnded }
	case pb.Role_ROLE_BYTE_TRANSFORM:
		s.NewBytes = func(context.Context, any, stage.Env) (stage.ByteTransform, error) { return nil, errEnded }
	}
}
