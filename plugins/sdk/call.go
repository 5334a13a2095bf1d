package sdk

import (
	"context"
	"fmt"
	"os"
	"path"
	"runtime/debug"
	"strings"
	"sync"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/plugins/protocol"
)

// unary converts errors and panics of a call for the host.
func (s *server) unary(ctx context.Context, r any, info *grpc.UnaryServerInfo, call grpc.UnaryHandler) (_ any, err error) {
	s.streams.restore()
	defer func() {
		trailer, encoded := protocol.Encode(err)
		if trailer != nil {
			if bad := grpc.SetTrailer(ctx, trailer); bad != nil {
				encoded = bad
			}
		}
		err = encoded
	}()
	defer s.recovered(info.FullMethod, &err)
	return call(ctx, r)
}

func (s *server) streamed(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, call grpc.StreamHandler) (err error) {
	s.streams.restore()
	defer func() {
		var trailer map[string][]string
		trailer, err = protocol.Encode(err)
		stream.SetTrailer(trailer)
	}()
	defer s.recovered(info.FullMethod, &err)
	return call(srv, stream)
}

// recovered turns a panic into an error, so that other stages of the process continue. The
// stack is logged.
func (s *server) recovered(method string, err *error) {
	r := recover()
	if r == nil {
		return
	}
	service, call := path.Split(method)
	service = strings.TrimPrefix(path.Ext(strings.TrimSuffix(service, "/")), ".")
	s.log.Error("a stage panicked", "call", service+"."+call, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
	*err = fmt.Errorf("plugin %s panicked in %s.%s: %v; see its log for details", s.plugin.Name, service, call, r)
}

// streams are the original standard output and error of the process. go-plugin replaces
// them by pipes that lead through a call of its own, where the last output would be lost if
// the process exits at once. The first call restores them.
type streams struct {
	once     sync.Once
	out, err *os.File
}

func (s *streams) restore() { s.once.Do(func() { os.Stdout, os.Stderr = s.out, s.err }) }
