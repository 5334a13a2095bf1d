package repository

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// Access is a way to open keys of a repository: with a passphrase or for recipients.
type Access struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created,omitzero"`
	Host    string    `json:"host,omitempty"` // where it was created
	Readers string    `json:"readers"`        // who can use it, such as "a passphrase"
	Keys    []string  `json:"keys"`           // that it opens
	Used    bool      `json:"used"`           // it opens a key with the given passphrase or identity
}

// Accesses lists the accesses to the repository's keys, oldest first, and a note for each
// that can't be read. An unencrypted repository has none.
func (r *Repository) Accesses(ctx context.Context) (list []Access, notes []stage.Note, err error) {
	for _, kid := range r.kids {
		k, err := keyring.ReadKey(ctx, r.storage, r.root, kid)
		if d, lost := object.AsDamage(err); lost {
			notes = append(notes, stage.Note{Path: object.KeysDir + kid, Text: d.Err.Error()})
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		used := ""
		e, err := r.generation(ctx, kid)
		if err == nil {
			used = e.Access
		} else if ctx.Err() != nil {
			return nil, nil, err
		}
		all, bad, err := keyring.ReadAccesses(ctx, r.storage, kid)
		if err != nil {
			return nil, nil, err
		}
		for _, err := range bad {
			notes = append(notes, stage.Note{Path: object.AccessDir + kid, Text: err.Error()})
		}
		for i := range all {
			list = r.listAccess(ctx, list, k, &all[i], used)
		}
	}
	slices.SortStableFunc(list, func(a, b Access) int { return a.Created.Compare(b.Created) })
	return list, notes, nil
}

// listAccess adds an access to list, or adds the key to an access already in it.
func (r *Repository) listAccess(ctx context.Context, list []Access, k keyring.KeyFile, a *keyring.Access, used string) []Access {
	i := slices.IndexFunc(list, func(l Access) bool { return l.ID == a.ID })
	if i < 0 {
		i = len(list)
		list = append(list, Access{ID: a.ID, Created: a.Created, Host: a.Host, Readers: r.readers(ctx, k, a)})
	}
	list[i].Keys = append(list[i].Keys, a.Key)
	list[i].Used = list[i].Used || used == a.ID
	return list
}

// readers describes who can use an access, according to its transforms.
func (r *Repository) readers(ctx context.Context, k keyring.KeyFile, a *keyring.Access) string {
	var words []string
	n := 0
	for _, t := range k.Transforms {
		if !t.Keyed || n >= len(a.Headers) {
			continue
		}
		text := t.Name
		if made, err := r.chain.Transform(ctx, t.Name); err == nil {
			if s, ok := made.(stage.Sharer); ok {
				if told, err := s.Readers(a.Headers[n]); err == nil {
					text = told
				}
			}
		}
		words = append(words, text)
		n++
	}
	return strings.Join(words, ", ")
}

// errClearKeys is returned for an unencrypted repository.
var errClearKeys = failure.New(failure.Refused, "the repository is not encrypted, or has no key yet: there is nothing that a passphrase opens")
