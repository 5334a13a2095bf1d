package protocol

import (
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// Major is the version of the protocol that the handshake agrees on. Minor counts additions
// to it.
const (
	Major = 1
	Minor = 0
)

// Handshake is how a plugin recognizes that Vault started it. It is not a secret.
func Handshake() goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{
		ProtocolVersion:  Major,
		MagicCookieKey:   "VAULT_PLUGIN",
		MagicCookieValue: "a-stage-of-github.com/lmsvault/vault",
	}
}

// Name is the name of the set of services in go-plugin.
const Name = "vault"

// Sizes for messages and connections, as measured in docs/performance.md.
const (
	// FrameSize is the maximum size of the data in a message. gRPC has buffers of fixed
	// sizes up to 1 MiB; a message must be smaller than that.
	FrameSize    = 512 << 10
	maxMessage   = 16 << 20
	window       = 4 << 20
	connWindow   = 16 << 20
	socketBuffer = 256 << 10
)

// DialOptions returns the options of the host's connection.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithInitialWindowSize(window),
		grpc.WithInitialConnWindowSize(connWindow),
		grpc.WithReadBufferSize(socketBuffer),
		grpc.WithWriteBufferSize(socketBuffer),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage), grpc.ForceCodecV2(newCodec())),
	}
}

// ServerOptions returns the options of a plugin's server.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.InitialWindowSize(window),
		grpc.InitialConnWindowSize(connWindow),
		grpc.ReadBufferSize(socketBuffer),
		grpc.WriteBufferSize(socketBuffer),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxSendMsgSize(maxMessage),
		grpc.ForceServerCodecV2(newCodec()),
	}
}
