package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// server implements the services of the roles that a plugin has.
type server struct {
	pb.UnimplementedPluginServer
	plugin  Plugin
	log     *slog.Logger
	streams *streams

	buffers buffers

	mu        sync.Mutex
	last      uint64
	instances map[uint64]*opened
}

func newServer(p Plugin, logs io.Writer) *server {
	return &server{
		plugin: p, log: slog.New(logHandler(logs)), instances: map[uint64]*opened{},
		streams: &streams{out: os.Stdout, err: os.Stderr},
	}
}

func (s *server) register(g *grpc.Server) {
	pb.RegisterPluginServer(g, s)
	pb.RegisterStorageServer(g, &storageServer{server: s})
	pb.RegisterByteTransformServer(g, &byteServer{server: s})
	pb.RegisterRecordTransformServer(g, &recordServer{server: s})
	pb.RegisterSourceServer(g, &sourceServer{server: s})
	pb.RegisterSinkServer(g, &sinkServer{server: s})
	pb.RegisterActionServer(g, &actionServer{server: s})
}

// Describe returns the description of the plugin and its stages.
func (s *server) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	d := &pb.DescribeResponse{Name: s.plugin.Name, Version: s.plugin.Version, Sdk: sdkVersion(), Minor: protocol.Minor}
	for _, st := range s.plugin.Stages {
		role, err := roleOf(st)
		if err != nil {
			return nil, err
		}
		fields, err := config.Describe(st.Config())
		if err != nil {
			return nil, fmt.Errorf("stage %s: %w", st.Name, err)
		}
		d.Stages = append(d.Stages, protocol.StageMessage(st.Info, role, fields))
	}
	return d, nil
}

// Validate decodes settings, which also runs the checks of the configuration.
func (s *server) Validate(_ context.Context, r *pb.ValidateRequest) (*pb.ValidateResponse, error) {
	st, err := s.find(r.Stage, r.Role)
	if err != nil {
		return nil, err
	}
	return &pb.ValidateResponse{Problems: protocol.Problems(config.Assign(r.Settings, st.Config()))}, nil
}

// Open makes an instance.
func (s *server) Open(ctx context.Context, r *pb.OpenRequest) (*pb.OpenResponse, error) {
	st, err := s.find(r.Stage, r.Role)
	if err != nil {
		return nil, err
	}
	cfg := st.Config()
	if k, ok := cfg.(interface {
		SetKeys(passphrase, identity Secret)
	}); ok && r.Reading {
		k.SetKeys(Secret{}, Secret{}) // marks it as reading; the keys come with the settings
	}
	if err := config.Assign(r.Settings, cfg); err != nil {
		return nil, failure.Wrap(failure.Usage, err)
	}
	env := stage.Env{Log: s.log.With("stage", st.Name), TempDir: r.TempDir, Workers: int(r.Workers), Version: r.HostVersion}
	made, err := open(context.WithoutCancel(ctx), st, cfg, env)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil { // nobody would close it
		return nil, errors.Join(err, closing(context.WithoutCancel(ctx), made))
	}
	answer := &pb.OpenResponse{Capabilities: capabilities(made)}
	if l, ok := made.(stage.Limiter); ok {
		answer.Connections = uint32(max(0, l.Limits().Connections))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	s.instances[s.last] = &opened{made: made}
	answer.Instance = s.last
	return answer, nil
}

// Close closes an instance.
func (s *server) Close(ctx context.Context, r *pb.CloseRequest) (*pb.CloseResponse, error) {
	s.mu.Lock()
	o, ok := s.instances[r.Instance]
	delete(s.instances, r.Instance)
	s.mu.Unlock()
	if !ok {
		return nil, unknown(r.Instance)
	}
	o.calls.Lock()
	defer o.calls.Unlock()
	return &pb.CloseResponse{}, closing(ctx, o.made)
}

// closing closes a stage if it has a Close method.
func closing(ctx context.Context, made any) error {
	if c, ok := made.(interface{ Close(context.Context) error }); ok {
		return c.Close(ctx)
	}
	return nil
}

func (s *server) find(name string, role pb.Role) (Stage, error) {
	for _, st := range s.plugin.Stages {
		if r, err := roleOf(st); err == nil && st.Name == name && r == role {
			return st, nil
		}
	}
	return Stage{}, failure.New(failure.Usage, "plugin %s has no stage %s of this role", s.plugin.Name, name)
}
