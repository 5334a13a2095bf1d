// Package python holds the example of a plugin in Python and what its author
// starts from; vault plugin new copies these files.
package python

import "embed"

//go:generate protoc -I ../../protocol/v1 --python_out=. plugin.proto

// Files are vault_plugin.py, the Python side of plugins, its messages
// plugin_pb2.py, and the example storage_dir.py.
//
//go:embed *.py
var Files embed.FS
