package manifest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

// A SigningKey signs the snapshots of a writer; it must stay secret. The zero
// value signs nothing.
type SigningKey struct{ private ed25519.PrivateKey }

// A Signer is the public half of a SigningKey: it tells whose a snapshot is.
// Signers are comparable.
type Signer struct {
	public [ed25519.PublicKeySize]byte
}

// The texts of keys are a prefix, and in base32 the 32 bytes of the key and the
// first bytes of their SHA-256, which tell a slip of the pen.
const (
	signerPrefix     = "vault-signer-"
	signingKeyPrefix = "VAULT-SIGNING-KEY-"
	checkDigits      = 4
)

var base32text = base32.StdEncoding.WithPadding(base32.NoPadding)

func keyText(key []byte) string {
	sum := sha256.Sum256(key)
	return base32text.EncodeToString(append(bytes.Clone(key), sum[:checkDigits]...))
}

func parseKeyText(text string) ([]byte, bool) {
	raw, err := base32text.DecodeString(strings.ToUpper(text))
	if err != nil || len(raw) != ed25519.SeedSize+checkDigits {
		return nil, false
	}
	key := raw[:ed25519.SeedSize]
	return key, strings.EqualFold(keyText(key), text)
}

// NewSigningKey makes a key.
func NewSigningKey() (SigningKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return SigningKey{}, fmt.Errorf("making a signing key: %w", err)
	}
	return SigningKey{private}, nil
}

// ParseSigningKey reads the text of a key as File writes it: lines that are blank
// or begin with # don't count. No error shows any of it.
func ParseSigningKey(text string) (SigningKey, error) {
	var keys []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			keys = append(keys, line)
		}
	}
	if len(keys) != 1 {
		return SigningKey{}, fmt.Errorf("it must be one signing key, and has %d lines", len(keys))
	}
	secret, ok := strings.CutPrefix(keys[0], signingKeyPrefix)
	if !ok {
		return SigningKey{}, errors.New("it is not a signing key (" + signingKeyPrefix + "…); vault key new makes one")
	}
	seed, ok := parseKeyText(secret)
	if !ok {
		return SigningKey{}, errors.New("the signing key is not complete, or was changed: copy the file again")
	}
	return SigningKey{ed25519.NewKeyFromSeed(seed)}, nil
}

// IsZero tells whether there is no key.
func (k SigningKey) IsZero() bool { return k.private == nil }

// Signer is the public half of the key.
func (k SigningKey) Signer() (s Signer) {
	copy(s.public[:], k.private.Public().(ed25519.PublicKey))
	return s
}

// String does not show the key.
func (k SigningKey) String() string { return "signing key" }

// GoString does not show the key.
func (k SigningKey) GoString() string { return k.String() }

// File is the content of a file that keeps the key.
func (k SigningKey) File() []byte {
	return fmt.Appendf(nil, "# public key: %s\n%s%s\n", k.Signer(), signingKeyPrefix, keyText(k.private.Seed()))
}

// ParseSigner reads a public key. It never shows a text that could be a secret.
func ParseSigner(text string) (Signer, error) {
	public, ok := strings.CutPrefix(strings.TrimSpace(text), signerPrefix)
	if !ok {
		if strings.Contains(text, signingKeyPrefix) {
			return Signer{}, errors.New("this is a secret signing key; give its public key instead (" + signerPrefix + "…, on the first line of the key file)")
		}
		return Signer{}, errors.New("this is not the public key of a signer (" + signerPrefix + "…); vault key new prints it")
	}
	key, ok := parseKeyText(public)
	if !ok {
		return Signer{}, fmt.Errorf("the public key %s%s is not complete, or was changed: copy it again", signerPrefix, public)
	}
	return Signer{[ed25519.PublicKeySize]byte(key)}, nil
}

// String is the public key as text.
func (s Signer) String() string { return signerPrefix + strings.ToLower(keyText(s.public[:])) }

// signature follows a signed manifest in its object, as a line of JSON.
type signature struct {
	Signer    []byte `json:"signer"`
	Signature []byte `json:"signature"`
}

// signed is what a signature is of: the manifest and the name of its blob.
func signed(manifest []byte, blob string) []byte {
	return slices.Concat([]byte("vault 1 snapshot signature\x00"), []byte(blob), []byte{0}, manifest)
}

// Sign returns the content of a manifest's object: a line of JSON, which holds
// no newline, and a second line if there is a key.
func (k SigningKey) Sign(manifest []byte, blob string) ([]byte, error) {
	if k.IsZero() {
		return manifest, nil
	}
	signer := k.Signer()
	line, err := json.Marshal(signature{signer.public[:], ed25519.Sign(k.private, signed(manifest, blob))})
	if err != nil {
		return nil, fmt.Errorf("signing the snapshot: %w", err)
	}
	return slices.Concat(manifest, []byte{'\n'}, line), nil
}

// ErrUnsigned is the error for a snapshot that none of the trusted signers has signed.
var ErrUnsigned = errors.New("not signed by a trusted key")

// Unsign takes the content of a manifest's object apart. Where signers are
// wanted, the error of what none of them has signed is ErrUnsigned, and nothing
// of it is used. Without them a signature is checked as far as it goes.
func Unsign(content []byte, blob string, wanted []Signer) (manifest []byte, by *Signer, err error) {
	manifest, line, ok := bytes.Cut(content, []byte{'\n'})
	if ok {
		if by, err = verifySignature(manifest, line, blob); err != nil && len(wanted) == 0 {
			return nil, nil, err
		}
	}
	if len(wanted) > 0 && (by == nil || !slices.Contains(wanted, *by)) {
		return nil, nil, failure.New(failure.Refused, "%w; it may be forged", ErrUnsigned)
	}
	return manifest, by, nil
}

func verifySignature(manifest, line []byte, blob string) (*Signer, error) {
	var s signature
	if err := object.StrictJSON(line, &s); err != nil {
		return nil, fmt.Errorf("%w: its signature can't be read: %w", stage.ErrCorrupt, err)
	}
	if len(s.Signer) != ed25519.PublicKeySize || !ed25519.Verify(s.Signer, signed(manifest, blob), s.Signature) {
		return nil, fmt.Errorf("%w: its signature is not of this snapshot", stage.ErrCorrupt)
	}
	return &Signer{[ed25519.PublicKeySize]byte(s.Signer)}, nil
}
