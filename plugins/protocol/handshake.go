package protocol

import (
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// Major is the version of the protocol that the handshake agrees on; Minor tells
// what was added to it since.
const (
	Major = 1
	Minor = 0
)

// Handshake is what tells a plugin that it was started by Vault. It is no secret.
func Handshake() goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{
		ProtocolVersion:  Major,
		MagicCookieKey:   "VAULT_PLUGIN",
		MagicCookieValue: "a-stage-of-github.com/lmsvault/vault",
	}
}

// Name is what go-plugin knows the one set of services by.
const Name = "vault"

// The sizes of what travels, measured in docs/performance.md.
const (
	// FrameSize is how much data a message carries at most. gRPC's buffers come
	// in sizes of which the last is 1 MiB: a message must stay below.
	FrameSize    = 512 << 10
	maxMessage   = 16 << 20
	window       = 4 << 20
	connWindow   = 16 << 20
	socketBuffer = 256 << 10
)

// DialOptions are those of the host's connection.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithInitialWindowSize(window),
		grpc.WithInitialConnWindowSize(connWindow),
		grpc.WithReadBufferSize(socketBuffer),
		grpc.WithWriteBufferSize(socketBuffer),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage), grpc.ForceCodecV2(newCodec())),
	}
}

// ServerOptions are those of a plugin's server.
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
