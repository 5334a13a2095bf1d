package repository

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// accessFile is the object access/KID/NAME: one way to open a key, for a passphrase
// or for recipients. NAME is the start of the SHA-256 of its bytes, in hex. A key has
// one from the beginning; others are added and removed without storing anything anew.
type accessFile struct {
	Format  int       `json:"format"`
	Key     string    `json:"key"` // KID
	ID      string    `json:"id"`  // the same for all keys to which it was added at once
	Created time.Time `json:"created"`
	Host    string    `json:"host"`
	Headers [][]byte  `json:"headers"` // of the keyed transforms, in their order
}

// access is an accessFile that was read.
type access struct {
	accessFile
	name string
}

func accessName(kid, name string) string { return accessDir + kid + "/" + name }

// accessDigits is the length of an accessFile's ID.
const accessDigits = 8

func newAccessID() (string, error) {
	id, err := randomName()
	if err != nil {
		return "", err
	}
	return id[:accessDigits], nil
}

// encodeAccess returns the name of the object and its content.
func encodeAccess(kid, id string, headers [][]byte, now time.Time) (name string, raw []byte, err error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	raw, err = json.Marshal(accessFile{Format: Format, Key: kid, ID: id, Created: now.UTC(), Host: host, Headers: headers})
	if err != nil {
		return "", nil, fmt.Errorf("describing the access to a key: %w", err)
	}
	return accessName(kid, hashOf(raw)[:kidDigits]), raw, nil
}

// parseAccess reads the object of this name.
func parseAccess(kid, name string, raw []byte) (a access, err error) {
	object := accessName(kid, name)
	if hashOf(raw)[:kidDigits] != name {
		return a, &Damage{Object: object, Err: fmt.Errorf("%w: its content is not what its name says", stage.ErrCorrupt)}
	}
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(raw, &version); err != nil {
		return a, &Damage{Object: object, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, err)}
	}
	if version.Format != Format {
		return a, fmt.Errorf("%s has format %d, and this version of vault knows %d", object, version.Format, Format)
	}
	if err := strictJSON(raw, &a.accessFile); err != nil {
		return a, &Damage{Object: object, Err: fmt.Errorf("%w: %w", stage.ErrCorrupt, err)}
	}
	if a.Key != kid {
		return a, &Damage{Object: object, Err: fmt.Errorf("%w: it is for key %q", stage.ErrCorrupt, a.Key)}
	}
	a.name = name
	return a, nil
}

// readAccesses returns the accesses to a key, the oldest first. What can't be used
// is in bad: *Damage, or of a format that is not known.
func readAccesses(ctx context.Context, s stage.Storage, kid string) (list []access, bad []error, err error) {
	names, err := listNames(ctx, s, accessDir+kid+"/")
	if err != nil {
		return nil, nil, fmt.Errorf("listing the accesses to a key: %w", err)
	}
	for _, name := range names {
		if !isName(name) {
			bad = append(bad, &Damage{Object: accessDir + kid + "/" + name, Err: errStray})
			continue
		}
		raw, err := s.Get(ctx, nil, accessName(kid, name), 0, -1)
		if errors.Is(err, stage.ErrNotExist) {
			continue // removed since it was listed
		}
		if err != nil && !errors.Is(err, stage.ErrCorrupt) {
			return nil, nil, fmt.Errorf("reading %s: %w", accessName(kid, name), err)
		}
		if err != nil {
			bad = append(bad, damaged(accessName(kid, name), "", err))
			continue
		}
		a, err := parseAccess(kid, name, raw)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		list = append(list, a)
	}
	slices.SortStableFunc(list, func(a, b access) int { return a.Created.Compare(b.Created) })
	return list, bad, nil
}

// openAccess opens the keyed transforms of a chain by one access.
func openAccess(ctx context.Context, a *access, keyed []stage.Keyed) error {
	if len(a.Headers) != len(keyed) {
		return &Damage{Object: accessName(a.Key, a.name), Err: fmt.Errorf("%w: it has %d headers for %d transforms", stage.ErrCorrupt, len(a.Headers), len(keyed))}
	}
	for i, t := range keyed {
		if err := t.Open(ctx, a.Headers[i]); err != nil {
			return err
		}
	}
	return nil
}

// openEpoch opens a key with the transforms of its chain, by the first access that
// they can open and that is not in without. ErrKey if they were given the wrong
// passphrase or identity.
func openEpoch(ctx context.Context, s stage.Storage, r root, kid string, k keyFile, chain []stage.ByteTransform, without ...string) (*epoch, error) {
	keyed, err := keyedOf(kid, k, chain)
	if err != nil {
		return nil, err
	}
	if len(keyed) == 0 {
		return unsealEpoch(ctx, r, kid, k, chain)
	}
	list, bad, err := readAccesses(ctx, s, kid)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(a access) bool { return slices.Contains(without, a.ID) })
	var e *epoch
	err = firstAccess(ctx, kid, list, bad, func(a *access) error {
		if err := openAccess(ctx, a, keyed); err != nil {
			return err
		}
		var err error
		e, err = unsealEpoch(ctx, r, kid, k, chain)
		if _, lost := asDamage(err); lost { // whoever put it there does not have the key
			return &Damage{Object: accessName(kid, a.name), Err: fmt.Errorf("%w: it does not open the key", stage.ErrCorrupt)}
		}
		if err == nil {
			e.access = a.ID
		}
		return err
	})
	return e, err
}

// opensKey returns nil if keyed transforms, which are all that a key has, open it.
func opensKey(ctx context.Context, s stage.Storage, kid string, keyed []stage.Keyed) error {
	list, bad, err := readAccesses(ctx, s, kid)
	if err != nil {
		return err
	}
	return firstAccess(ctx, kid, list, bad, func(a *access) error { return openAccess(ctx, a, keyed) })
}

// firstAccess returns nil if open does for one of the accesses, else the error that
// says most.
func firstAccess(ctx context.Context, kid string, list []access, bad []error, open func(*access) error) error {
	refused := refusal{}
	for i := range list {
		err := open(&list[i])
		if err == nil || ctx.Err() != nil {
			return err
		}
		refused.add(err)
	}
	for _, err := range bad {
		refused.add(err)
	}
	if refused.err == nil {
		return &Damage{Object: accessDir + kid, Err: fmt.Errorf("%w: nothing is there that opens the key", stage.ErrNotExist)}
	}
	if _, lost := asDamage(refused.err); lost {
		return refused.err
	}
	return fmt.Errorf("%s%s: %w", keysDir, kid, refused.err)
}

// refusal is why no access opens a key: the error that says most.
type refusal struct {
	err  error
	rank int
}

func (r *refusal) add(err error) {
	rank := 1
	switch {
	case errors.Is(err, stage.ErrOtherReaders): // it was opened
		rank = 4
	case errors.Is(err, stage.ErrKey): // a mistake
		rank = 3
	case errors.Is(err, stage.ErrOtherKey):
		rank = 2
	}
	if rank > r.rank {
		r.err, r.rank = err, rank
	}
}

// Access is a way to open keys of a repository: for a passphrase or for recipients.
type Access struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created,omitzero"`
	Host    string    `json:"host,omitempty"` // where it was made
	Readers string    `json:"readers"`        // whom it admits, such as "a passphrase"
	Keys    []string  `json:"keys"`           // that it opens
	Used    bool      `json:"used"`           // what was given opens a key by it
}

// Accesses lists the ways to open the repository's keys, the oldest first. What can't
// be read is a note. A repository without encryption has none.
func (r *Repository) Accesses(ctx context.Context) (list []Access, notes []stage.Note, err error) {
	for _, kid := range r.kids {
		k, err := readKey(ctx, r.storage, r.root, kid)
		if d, lost := asDamage(err); lost {
			notes = append(notes, stage.Note{Path: keysDir + kid, Text: d.Err.Error()})
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		used := ""
		e, err := r.epoch(ctx, kid)
		if err == nil {
			used = e.access
		} else if ctx.Err() != nil {
			return nil, nil, err
		}
		all, bad, err := readAccesses(ctx, r.storage, kid)
		if err != nil {
			return nil, nil, err
		}
		for _, err := range bad {
			notes = append(notes, stage.Note{Path: accessDir + kid, Text: err.Error()})
		}
		for i := range all {
			list = r.listAccess(ctx, list, k, &all[i], used)
		}
	}
	slices.SortStableFunc(list, func(a, b Access) int { return a.Created.Compare(b.Created) })
	return list, notes, nil
}

// listAccess enters an access in a list, beside what it does for other keys.
func (r *Repository) listAccess(ctx context.Context, list []Access, k keyFile, a *access, used string) []Access {
	i := slices.IndexFunc(list, func(l Access) bool { return l.ID == a.ID })
	if i < 0 {
		i = len(list)
		list = append(list, Access{ID: a.ID, Created: a.Created, Host: a.Host, Readers: r.readers(ctx, k, a)})
	}
	list[i].Keys = append(list[i].Keys, a.Key)
	list[i].Used = list[i].Used || used == a.ID
	return list
}

// readers says whom an access admits, as far as its transforms can tell.
func (r *Repository) readers(ctx context.Context, k keyFile, a *access) string {
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

// errClearKeys is the error where there is nothing to open.
var errClearKeys = failure.New(failure.Refused, "the repository is not encrypted, or has no key yet: there is nothing that a passphrase opens")
