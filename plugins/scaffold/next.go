package scaffold

import (
	"fmt"
	"strings"
)

// Next returns instructions for a new project.
func Next(p Project) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s has %s that works and passes Vault's conformance tests. Next:\n\n  cd %s\n", p.Dir, p.What(), p.Dir)
	switch {
	case p.Lang == "python" || p.SDK != "":
	case p.Released():
		b.WriteString("  go mod tidy\n")
	default:
		fmt.Fprintf(&b, "  go mod edit -replace %s=DIR && go mod tidy\n", vault)
	}
	fmt.Fprintf(&b, "  make          # builds the program %s\n", p.Name)
	b.WriteString("  make test     # tests it with the conformance kit\n  make try      # runs try.yaml with it\n")
	fmt.Fprintf(&b, "  vault plugin install ./%s\n\nIts README.md describes the files.\n", p.Name)
	switch {
	case p.Lang == "python":
		b.WriteString("Python needs grpcio and protobuf (Debian: apt install python3-grpcio python3-protobuf).\n")
	case p.SDK != "":
		fmt.Fprintf(&b, "It is built with the source code in %s (see replace in go.mod), so it builds on this machine only.\n", p.SDK)
	case !p.Released():
		b.WriteString("This vault was built from source, and go can't download its version. DIR above is a checkout of\n" +
			"the source code. vault plugin new --sdk DIR writes it to go.mod.\n")
	}
	return b.String()
}
