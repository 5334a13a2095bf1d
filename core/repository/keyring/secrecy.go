package keyring

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

var ErrClear = failure.New(failure.Refused, "this repository is not encrypted, but a passphrase or identity was given: "+
	"if it never was encrypted, leave them out; if it was, the repository may have been replaced: do not trust it")

// Secrecy tells whether keys are encrypted. Some that are beside some that are
// not is an error of class failure.Refused: vault never makes that, and the
// clear ones may be a forger's, who needs no passphrase for them.
func Secrecy(keys map[string]KeyFile) (sealed bool, err error) {
	var clear []string
	for kid, k := range keys {
		if !k.Encrypted() {
			clear = append(clear, kid)
		}
	}
	if len(clear) == 0 || len(clear) == len(keys) {
		return len(keys) > 0 && len(clear) == 0, nil
	}
	slices.Sort(clear)
	return false, failure.New(failure.Refused, "the repository is encrypted, but not its keys %s, which vault did not make: "+
		"somebody else has written to the storage; find out who, take %s%s and snapshots/, packs/ and index/ of that name out of it, and look at the rest with verify",
		strings.Join(clear, ", "), object.KeysDir, clear[0])
}

// SameSecrecy keeps clear and encrypted snapshots apart: who has one of each in
// a place no longer knows what a copy of it tells.
func SameSecrecy(keys map[string]KeyFile, transforms []Transform) error {
	encrypts := slices.ContainsFunc(transforms, func(t Transform) bool {
		_, ok := t.Bytes.(stage.Keyed)
		return ok
	})
	sealed, err := Secrecy(keys)
	switch {
	case err != nil || len(keys) == 0:
		return err
	case sealed && !encrypts:
		return failure.New(failure.Refused, "the repository is encrypted, and this pipeline does not encrypt: add the transform encrypt with the repository's passphrase or recipients, or take another place")
	case !sealed && encrypts:
		return failure.New(failure.Refused, "the repository is not encrypted, and this pipeline encrypts: take another place for encrypted backups, or leave encrypt out")
	}
	return nil
}
