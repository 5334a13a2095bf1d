// Vault-plugin-mask is a Vault plugin that masks personal data in the rows of a Moodle
// site, so that a copy can be given to people who must not see it.
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
	return sdk.RecordStage("mask", "Masks personal data in the table user and in columns that you list.",
		"A value has the same mask everywhere, so joins still work; with a different key it has a different mask. "+
			"Only the personal columns of user and those listed in `columns` are masked: posts, submissions, logs and files are not changed.",
		open)
}

type settings struct {
	Key     sdk.Secret `key:"key" required:"true" help:"secret key for the masks, at least 16 characters; with it, anyone can test whether a mask belongs to a value" example:"${file:/etc/vault/mask-key}"`
	Columns []string   `key:"columns" help:"additional text columns to mask, as table.column without the prefix" example:"[logstore_standard_log.ip, user_info_data.data]"`
	Keep    []string   `key:"keep" default:"guest" help:"usernames that are not changed, with their passwords, so that someone can log in"`
}

// leastKey is the minimum length of a key in bytes.
const leastKey = 16

var column = regexp.MustCompile(`^[a-z0-9_]+\.[a-z0-9_]+$`)

// Validate is called by vault lint and before open.
func (s *settings) Validate() error {
	if len(s.Key.Reveal()) < leastKey {
		return sdk.At("key", "key must have at least %d characters; anyone who guesses it can test every mask against a list of names", leastKey)
	}
	for _, c := range s.Columns {
		if !column.MatchString(c) {
			return sdk.At("columns", "%q in columns is not of the form table.column, such as logstore_standard_log.ip", c)
		}
	}
	return nil
}

func open(_ context.Context, s *settings, env sdk.Env) (sdk.RecordTransform, error) {
	return &transform{settings: *s, log: env.Log, seen: map[string]bool{}}, nil
}
