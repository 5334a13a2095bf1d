package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  takes(),
		RunE: func(*cobra.Command, []string) error {
			v, system := version(), runtime.GOOS+"/"+runtime.GOARCH
			if a.flag("json").on {
				return a.printJSON(struct {
					Version string `json:"version"`
					Commit  string `json:"commit,omitempty"`
					Go      string `json:"go"`
					System  string `json:"system"`
				}{v, commit(), runtime.Version(), system})
			}
			built := []string{runtime.Version(), system}
			if c := commit(); c != "" {
				built = append([]string{"commit " + c}, built...)
			}
			return a.print(fmt.Sprintf("vault %s (%s)\n", v, strings.Join(built, ", ")))
		},
	}
}

// version is the module's version, as snapshots hold it too.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// commit is the one that was built; "" where the build doesn't tell.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return ""
}
