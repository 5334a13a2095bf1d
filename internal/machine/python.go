package machine

import (
	"os/exec"
	"testing"
)

// Python returns the path of a Python 3 with gRPC and protobuf: the first in PATH, or
// else the system's.
func Python(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.CommandContext(t.Context(), path, "-c", "import grpc, google.protobuf").Run() == nil {
			return path
		}
	}
	Missing(t, "a python3 with grpcio and protobuf: apt install python3-grpcio python3-protobuf")
	return ""
}
