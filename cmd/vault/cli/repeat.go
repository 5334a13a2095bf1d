package cli

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/run"
)

// once lists the flags that concern only one run or its output.
var once = []string{"yes", "dry-run", "json", "quiet", "verbose", "log-file", "no-color", "replace"}

// snapshotVariable is the variable that pipelines use for the snapshot to restore.
const snapshotVariable = "snapshot"

// Repeated returns a function that returns the command line of a run of the pipeline file,
// with the flags of this one.
func Repeated(cmd *cobra.Command, file string, p *pipeline.Pipeline) func(run.Again) string {
	if abs, err := filepath.Abs(file); err == nil {
		file = abs
	}
	return func(again run.Again) string {
		words := []string{"vault", "run", file}
		cmd.Flags().Visit(func(f *pflag.Flag) {
			switch list, many := f.Value.(pflag.SliceValue); {
			case slices.Contains(once, f.Name):
			case many:
				for _, value := range list.GetSlice() {
					name, _, _ := strings.Cut(value, "=")
					if f.Name != "set" || name != snapshotVariable || again.Snapshot == "" {
						words = append(words, "--"+f.Name, value)
					}
				}
			case f.Value.Type() == "bool":
				words = append(words, "--"+f.Name+"="+f.Value.String())
			default:
				words = append(words, "--"+f.Name, f.Value.String())
			}
		})
		if again.Snapshot != "" && slices.Contains(p.Variables, snapshotVariable) {
			words = append(words, "--set", snapshotVariable+"="+again.Snapshot)
		}
		if given, err := cmd.Flags().GetBool("replace"); again.Replace || err == nil && given {
			words = append(words, "--replace")
		}
		for i, w := range words {
			words[i] = shellQuoted(w)
		}
		return strings.Join(words, " ")
	}
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shellQuoted returns a word as a POSIX shell reads it.
func shellQuoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
