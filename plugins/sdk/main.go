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

// Plugin is what a program serves.
type Plugin struct {
	Name    string // a-z 0-9 -
	Version string // as semver.org has it, without a v
	Stages  []Stage
}

// Main serves the plugin to the Vault that started the program, and ends the
// program with it. Started by a person, the program says what it is.
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

// Serve serves the plugin on the connection that Vault asked for by the
// environment, until Vault ends. It changes the process's standard streams and
// signals: nothing else should be done in it.
func (p Plugin) Serve() error {
	if err := p.check(); err != nil {
		return err
	}
	// Whoever ends vault, by a signal to the terminal or to a unit of systemd, reaches
	// its plugins too: vault must be able to give up in order, and ends them itself.
	// Signals are caught and not ignored, because the latter is inherited.
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

// exitWith ends the process when the pipe that its host holds ends: also kill -9
// of the host ends it and what it has started, and nobody is left behind.
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

var errHostSide = errors.New("the host's side is in package host")

func (s *served) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errHostSide
}
