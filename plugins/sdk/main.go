package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/lmsvault/vault/plugins/protocol"
)

// Plugin is the name, version and stages that a program serves.
type Plugin struct {
	Name    string // a-z 0-9 -
	Version string // a semantic version without a leading v
	Stages  []Stage
}

// Main serves the plugin to the Vault that started the program, and exits when Vault does.
// Started by hand, the program prints what it is.
func Main(p Plugin) { os.Exit(p.main(os.Stdout, os.Stderr)) }

func (p Plugin) main(out, errs io.Writer) int {
	err := p.check()
	h := protocol.Handshake()
	switch {
	case err != nil:
	case os.Getenv(h.MagicCookieKey) == h.MagicCookieValue:
		err = p.Serve()
	default:
		err = p.introduce(out)
	}
	if err != nil {
		if _, err := fmt.Fprintf(errs, "%s: %v\n", p.Name, err); err != nil {
			return 2
		}
		return 1
	}
	return 0
}

// Serve serves the plugin on the connection that Vault requested through the environment,
// until Vault exits. It changes the standard streams and signal handling of the process,
// which should do nothing else.
func (p Plugin) Serve() error {
	if err := p.check(); err != nil {
		return err
	}
	// A signal sent to stop vault, through a terminal or a systemd unit, also reaches its
	// plugins. They ignore it, so that vault can abort in order and then terminate them.
	// The signals are caught rather than ignored, because ignoring is inherited.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	go exitWith(os.Stdin)
	server := newServer(p, os.Stderr)
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: protocol.Handshake(),
		Plugins:         goplugin.PluginSet{protocol.Name: &served{server: server}},
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			options = append(options, protocol.ServerOptions()...)
			options = append(options, grpc.UnaryInterceptor(server.unary), grpc.StreamInterceptor(server.streamed))
			return grpc.NewServer(options...)
		},
		Logger: hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Warn, JSONFormat: true}),
	})
	return nil
}

// exitWith exits when the pipe held by the host is closed. So even if the host is killed
// with kill -9, the process and its children exit.
func exitWith(lifeline io.Reader) {
	_, err := io.Copy(io.Discard, lifeline)
	if syscall.Getpgrp() == os.Getpid() {
		err = errors.Join(err, syscall.Kill(0, syscall.SIGKILL))
	}
	if err != nil {
		os.Exit(3)
	}
	os.Exit(0)
}

// served registers the services with go-plugin.
type served struct {
	goplugin.NetRPCUnsupportedPlugin
	server *server
}

func (s *served) GRPCServer(_ *goplugin.GRPCBroker, g *grpc.Server) error {
	s.server.register(g)
	return nil
}

var errHostSide = errors.New("the host side is implemented in package host")

func (s *served) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errHostSide
}
