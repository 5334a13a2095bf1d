// Package python embeds the example of a plugin in Python, which vault plugin new copies.
package python

import "embed"

//go:generate protoc -I ../../protocol/v1 --python_out=. plugin.proto

// Files has vault_plugin.py, the Python SDK, plugin_pb2.py, its messages, and the example
// storage_dir.py.
//
//go:embed *.py
var Files embed.FS
