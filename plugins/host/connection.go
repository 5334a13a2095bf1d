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

// connection is the host's side of the plugin for go-plugin: the connection itself.
type connection struct {
	goplugin.NetRPCUnsupportedPlugin
}

var errPluginSide = errors.New("the plugin's side is in package sdk")

func (connection) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return errPluginSide }

func (connection) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return c, nil
}

// ping asks the process whether it is alive, as go-plugin does. A plugin without
// this service answers too.
func (p *process) ping(ctx context.Context) error {
	r := &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName}
	_, err := grpc_health_v1.NewHealthClient(p.conn).Check(ctx, r)
	switch status.Code(err) {
	case codes.Unimplemented, codes.NotFound:
		return nil
	}
	return err
}
