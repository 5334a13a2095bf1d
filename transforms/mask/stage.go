// Package mask implements the transform that masks personal data in the rows of a site.
package mask

import (
	"context"

	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/moodle/mask"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Config is the configuration of the transform.
type Config struct {
	mask.Settings
}

// Stage returns the description of the transform.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name: "mask", Role: stage.RoleTransform, Summary: "Masks personal data of users, so that a copy can be given to others.",
			Doc:    doc,
			Config: func() any { return &Config{} },
		},
		NewRecord: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.RecordTransform, error) {
			e := mask.New(c.Settings)
			return &transform{edit.NewTransform(e), e}, nil
		}),
	}
}

const doc = `A mask depends only on the value and on key: a value has the same mask in all tables and in all runs with the key, so
joins stay whole. With another key it has another mask. Names become frequent names in the same script, texts become
other letters of the same script, e-mail addresses end in example.invalid, and IP addresses are reserved ones
(2001:db8::/32). Usernames and e-mail addresses that differ have masks that differ. Languages, countries, time zones and
authentication methods stay.

What is masked: the personal columns of table user, profile fields, IP and e-mail addresses in every table, usernames and
addresses in the events of the log and in preferences, and the authors of files. Hashes of passwords are replaced by one that
no password fits; sessions, tokens, password histories, devices, second factors and user pictures are dropped. The notes of a
run list the columns by table, and its result counts the rows.

Not masked: what people wrote (posts, messages, submissions), files, the names of groups and courses, columns and tables that
Moodle does not have, unless columns lists them. Users in keep are not changed at all.`

// transform masks the rows of a run and notes what it masks.
type transform struct {
	*edit.Transform
	mask *mask.Edit
}

var _ stage.Preparer = (*transform)(nil)

// Table adds a note about the columns that are masked.
func (t *transform) Table(ctx context.Context, from schema.Table, target string) (stage.Mapped, error) {
	m, err := t.Transform.Table(ctx, from, target)
	if err != nil {
		return m, err
	}
	text, err := t.mask.Masked(&from)
	if text != "" {
		m.Notes = append(m.Notes, stage.Note{Path: stage.DB + "/" + from.Name, Text: text})
	}
	return m, err
}
