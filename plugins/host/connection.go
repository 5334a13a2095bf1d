package host

import (
	"context"
	"errors"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// connection is the host's side of a plugin for go-plugin.
type connection struct {
	goplugin.NetRPCUnsupportedPlugin
}

var errPluginSide = errors.New("the plugin side is implemented in package sdk")

func (connection) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return errPluginSide }

func (connection) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return c, nil
}

// ping checks that the process answers, as go-plugin does. Any reply counts, even from a
// plugin that lacks this service.
func (p *process) ping(ctx context.Context) error {
	r := &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName}
	_, err := grpc_health_v1.NewHealthClient(p.conn).Check(ctx, r)
	switch status.Code(err) {
	case codes.Unimplemented, codes.NotFound:
		return nil
	}
	return err
}
