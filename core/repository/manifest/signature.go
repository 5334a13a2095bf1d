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

// A SigningKey is the secret key with which a writer signs its snapshots. The zero value
// signs nothing.
type SigningKey struct{ private ed25519.PrivateKey }

// A Signer is the public key of a SigningKey. It identifies the author of a snapshot.
// Signers are comparable.
type Signer struct {
	public [ed25519.PublicKeySize]byte
}

// The text of a key is a prefix, and the base32 of the 32 bytes of the key and the first
// bytes of their SHA-256, which detect typing errors.
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

// NewSigningKey generates a key.
func NewSigningKey() (SigningKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return SigningKey{}, fmt.Errorf("generating a signing key: %w", err)
	}
	return SigningKey{private}, nil
}

// ParseSigningKey parses the output of File. It ignores blank lines and lines that begin
// with #. Errors never contain any of the text.
func ParseSigningKey(text string) (SigningKey, error) {
	var keys []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			keys = append(keys, line)
		}
	}
	if len(keys) != 1 {
		return SigningKey{}, fmt.Errorf("expected one signing key, not %d lines", len(keys))
	}
	secret, ok := strings.CutPrefix(keys[0], signingKeyPrefix)
	if !ok {
		return SigningKey{}, errors.New("not a signing key (" + signingKeyPrefix + "…); create one with vault key new")
	}
	seed, ok := parseKeyText(secret)
	if !ok {
		return SigningKey{}, errors.New("the signing key is incomplete or was modified; copy the file again")
	}
	return SigningKey{ed25519.NewKeyFromSeed(seed)}, nil
}

// IsZero reports whether there is no key.
func (k SigningKey) IsZero() bool { return k.private == nil }

// Signer returns the public key.
func (k SigningKey) Signer() (s Signer) {
	copy(s.public[:], k.private.Public().(ed25519.PublicKey))
	return s
}

// String does not reveal the key.
func (k SigningKey) String() string { return "signing key" }

// GoString does not reveal the key.
func (k SigningKey) GoString() string { return k.String() }

// File returns the content of a key file.
func (k SigningKey) File() []byte {
	return fmt.Appendf(nil, "# public key: %s\n%s%s\n", k.Signer(), signingKeyPrefix, keyText(k.private.Seed()))
}

// ParseSigner parses a public key. Errors never contain text that could be a secret.
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
		return Signer{}, fmt.Errorf("the public key %s%s is incomplete or was modified; copy it again", signerPrefix, public)
	}
	return Signer{[ed25519.PublicKeySize]byte(key)}, nil
}

// String returns the public key as text.
func (s Signer) String() string { return signerPrefix + strings.ToLower(keyText(s.public[:])) }

// signature follows a signed manifest in its object, as a line of JSON.
type signature struct {
	Signer    []byte `json:"signer"`
	Signature []byte `json:"signature"`
}

// signed returns the message that is signed: the manifest and the name of its blob.
func signed(manifest []byte, blob string) []byte {
	return slices.Concat([]byte("vault 1 snapshot signature\x00"), []byte(blob), []byte{0}, manifest)
}

// Sign returns the content of a manifest's object: manifest, which must be one line of
// JSON, and a second line with the signature if there is a key.
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

// ErrUnsigned is returned for a snapshot that was not signed by a trusted signer.
var ErrUnsigned = errors.New("not signed by a trusted key")

// Unsign splits the content of a manifest's object and verifies the signature. If wanted
// is not empty and none of these signers has signed the manifest, the error wraps
// ErrUnsigned. Otherwise an unsigned manifest is accepted, with a nil Signer.
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
		return nil, fmt.Errorf("%w: the signature can't be read: %w", stage.ErrCorrupt, err)
	}
	if len(s.Signer) != ed25519.PublicKeySize || !ed25519.Verify(s.Signer, signed(manifest, blob), s.Signature) {
		return nil, fmt.Errorf("%w: the signature does not match this snapshot", stage.ErrCorrupt)
	}
	return &Signer{[ed25519.PublicKeySize]byte(s.Signer)}, nil
}
