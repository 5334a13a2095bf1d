// Package protocol has what Vault and its plugins share: the handshake, streams, the
// conversion of values to messages, and the encoding of errors. The messages are defined in
// v1/plugin.proto and explained in docs/plugins.md.
package protocol

//go:generate protoc -I v1 --go_out=v1 --go_opt=paths=source_relative --go-grpc_out=v1 --go-grpc_opt=paths=source_relative v1/plugin.proto
