// Vault-plugin-mask is a plugin of Vault that masks personal data in the rows of
// a Moodle site, so that a copy can be given to those who must not see it.
package main

import (
	"context"
	"regexp"

	"github.com/lmsvault/vault/plugins/sdk"
)

func main() {
	sdk.Main(sdk.Plugin{Name: "mask", Version: "1.0.0", Stages: []sdk.Stage{declared()}})
}

func declared() sdk.Stage {
	return sdk.RecordStage("mask", "Masks personal data in the table user, and in columns that you name.",
		"A value has the same mask wherever it stands, so that joins hold; under another key it has another. "+
			"Only columns are masked that are named here or in `columns`: posts, submissions, logs and files stay as they are.",
		open)
}

type settings struct {
	Key     sdk.Secret `key:"key" required:"true" help:"what the masks are made with, 16 characters at least; who has it can tell whether a mask is that of a value" example:"${file:/etc/vault/mask-key}"`
	Columns []string   `key:"columns" help:"further columns of text to mask, as table.column without the prefix" example:"[logstore_standard_log.ip, user_info_data.data]"`
	Keep    []string   `key:"keep" default:"guest" help:"usernames that stay as they are, with their passwords, so that somebody can log in"`
}

// leastKey is how many bytes a key must have.
const leastKey = 16

var column = regexp.MustCompile(`^[a-z0-9_]+\.[a-z0-9_]+$`)

// Validate is called by vault lint, and before open.
func (s *settings) Validate() error {
	if len(s.Key.Reveal()) < leastKey {
		return sdk.At("key", "key must have at least %d characters: who guesses it can test every mask against a list of names", leastKey)
	}
	for _, c := range s.Columns {
		if !column.MatchString(c) {
			return sdk.At("columns", "%q in columns is not a table and a column, such as logstore_standard_log.ip", c)
		}
	}
	return nil
}

func open(_ context.Context, s *settings, env sdk.Env) (sdk.RecordTransform, error) {
	return &transform{settings: *s, log: env.Log, seen: map[string]bool{}}, nil
}
