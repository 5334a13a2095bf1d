package keyring

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// ErrClear is returned for an unencrypted repository if a passphrase or identity was given.
var ErrClear = failure.New(failure.Refused, "this repository is not encrypted, but a passphrase or identity was given; "+
	"if it was never encrypted, omit them; if it was encrypted, it may have been replaced: do not trust it")

// Secrecy reports whether the keys are encrypted. A mix of encrypted and unencrypted keys
// is an error of class failure.Refused: vault never creates one, and an attacker could
// add an unencrypted key without knowing the passphrase.
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
	return false, failure.New(failure.Refused, "the repository is encrypted, but its keys %s are not and were not created by vault; "+
		"someone else has write access to the storage: find out who, remove %s%s and the directories of that name in snapshots/, packs/ and index/, then run vault verify",
		strings.Join(clear, ", "), object.KeysDir, clear[0])
}

// SameSecrecy refuses to mix encrypted and unencrypted snapshots in one repository:
// it would no longer be clear what a copy of the storage reveals.
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
		return failure.New(failure.Refused, "the repository is encrypted, but this pipeline does not encrypt; add the transform encrypt with the repository's passphrase or recipients, or use another repository")
	case !sealed && encrypts:
		return failure.New(failure.Refused, "the repository is not encrypted, but this pipeline encrypts; use another repository for encrypted backups, or remove encrypt")
	}
	return nil
}
