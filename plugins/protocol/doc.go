// Package protocol is what both sides of the border between Vault and a plugin
// share: how they greet each other, how bytes travel, and how errors do. The
// messages are in v1/plugin.proto, docs/plugins.md explains them.
package protocol

//go:generate protoc -I v1 --go_out=v1 --go_opt=paths=source_relative --go-grpc_out=v1 --go-grpc_opt=paths=source_relative v1/plugin.proto
