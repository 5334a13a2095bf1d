package scaffold

import (
	"fmt"
	"strings"
)

// Next tells a person what to do with a project that was made.
func Next(p Project) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s holds %s that works and keeps Vault's contract. Next:\n\n  cd %s\n", p.Dir, p.What(), p.Dir)
	switch {
	case p.Lang == "python" || p.SDK != "":
	case p.Released():
		b.WriteString("  go mod tidy\n")
	default:
		fmt.Fprintf(&b, "  go mod edit -replace %s=DIR && go mod tidy\n", vault)
	}
	fmt.Fprintf(&b, "  make          # builds the program %s\n", p.Name)
	b.WriteString("  make test     # tests it with the conformance kit\n  make try      # runs try.yaml with it\n")
	fmt.Fprintf(&b, "  vault plugin install ./%s\n\nREADME.md there tells which file is what.\n", p.Name)
	switch {
	case p.Lang == "python":
		b.WriteString("Python needs grpcio and protobuf (Debian: apt install python3-grpcio python3-protobuf).\n")
	case p.SDK != "":
		fmt.Fprintf(&b, "It is built with the sources in %s: go.mod says so with replace, and works on this machine only.\n", p.SDK)
	case !p.Released():
		b.WriteString("This vault was built from its sources, and no version of it is published that go could fetch: DIR above is\n" +
			"a checkout of these sources. vault plugin new --sdk DIR writes it into go.mod by itself.\n")
	}
	return b.String()
}
