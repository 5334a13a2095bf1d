package encrypt

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/lmsvault/vault/core/stage"
)

// defaultWork is scrypt's cost as a power of two: 64 MiB of memory and some tenths of
// a second. maxWork is the highest cost that a header may demand.
const (
	defaultWork = 16
	maxWork     = 18
)

// keyring holds what the pipeline configured: who may open, and what opens.
type keyring struct {
	recipients []age.Recipient
	public     []string // the recipients as text, sorted
	passphrase string
	identities []age.Identity
	secret     string // the identities as text; the key of the author tag is derived from it
	work       int
	reading    bool // for reading only, so keys of any author are accepted
}

// header is stored in a repository in plain text. An age file cannot combine a
// passphrase with recipients, so each has its own file around the data key.
type header struct {
	Format     int    `json:"format"`
	Recipients []byte `json:"recipients,omitempty"` // an age file
	Passphrase []byte `json:"passphrase,omitempty"` // an age file
	// Readers is an HMAC-SHA-256 of the recipients' public keys under a key derived
	// from the data key, by which a writer detects that its pipeline names other
	// recipients. It hides them, as age does: whoever knows one can create keys for
	// it.
	Readers []byte `json:"readers,omitempty"`
	// Author is an HMAC-SHA-256 of the data key under a key derived from the
	// identity, if the header's creator held it. Anybody can wrap a data key for a
	// recipient; with this tag the holder recognises its own keys and writes under no
	// other.
	Author []byte `json:"author,omitempty"`
}

func (k *keyring) wrap(data []byte) ([]byte, error) {
	if len(k.recipients) == 0 && k.passphrase == "" {
		return nil, errors.New("encrypt needs a recipient or a passphrase to write; an identity alone can only read")
	}
	h := header{Format: 1}
	var err error
	if h.Readers, err = k.readers(data); err != nil {
		return nil, err
	}
	if len(k.recipients) > 0 {
		if h.Recipients, err = ageFile(data, k.recipients...); err != nil {
			return nil, fmt.Errorf("encrypting the data key for the recipients: %w", err)
		}
	}
	if k.passphrase != "" {
		r, err := age.NewScryptRecipient(k.passphrase)
		if err != nil {
			return nil, fmt.Errorf("using the passphrase: %w", err)
		}
		r.SetWorkFactor(k.work)
		if h.Passphrase, err = ageFile(data, r); err != nil {
			return nil, fmt.Errorf("encrypting the data key with the passphrase: %w", err)
		}
	}
	if len(k.identities) > 0 && len(k.recipients) > 0 {
		if _, err := dataKey(h.Recipients, "identity", k.identities...); err != nil {
			return nil, fmt.Errorf("the identity does not belong to any of the recipients; add its public key to the recipients, or remove it: %w", err)
		}
		if h.Author, err = k.author(data); err != nil {
			return nil, err
		}
	}
	return json.Marshal(h)
}

func ageFile(data []byte, recipients ...age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipients...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (k *keyring) author(data []byte) ([]byte, error) {
	return tag(data, []byte(k.secret), "vault encrypt 1 author")
}

// unwrap recovers the data key: with the passphrase if both have one, else with the
// identity. A writer accepts only a key whose creator could open it, for exactly the
// readers that the pipeline names.
func (k *keyring) unwrap(raw []byte) ([]byte, error) {
	var h header
	if err := json.Unmarshal(raw, &h); err != nil {
		return nil, fmt.Errorf("%w: the key header is not readable: %w", stage.ErrCorrupt, err)
	}
	if h.Format != 1 {
		return nil, fmt.Errorf("the key header has format %d, but this version of vault supports only 1; use a newer vault", h.Format)
	}
	var data []byte
	var err error
	switch {
	case k.passphrase != "" && h.Passphrase != nil:
		data, err = k.byPassphrase(&h)
	case len(k.identities) > 0 && h.Recipients != nil:
		data, err = k.byIdentity(&h)
	case k.reading:
		err = fmt.Errorf("%w: the key can be opened with %s, which was not given", stage.ErrKey, h.wants())
	default:
		err = fmt.Errorf("%w: it can be opened with %s, which the pipeline does not provide", stage.ErrOtherKey, h.wants())
	}
	if err != nil {
		return nil, err
	}
	if k.reading || len(k.public) == 0 && k.passphrase == "" {
		return data, nil
	}
	return data, k.admits(&h, data)
}

func (k *keyring) byPassphrase(h *header) ([]byte, error) {
	id, err := age.NewScryptIdentity(k.passphrase)
	if err != nil {
		return nil, fmt.Errorf("using the passphrase: %w", err)
	}
	id.SetMaxWorkFactor(maxWork)
	data, err := dataKey(h.Passphrase, "passphrase", id)
	if errors.Is(err, stage.ErrKey) {
		return nil, wrongPassphrase{doubt(k.passphrase)}
	}
	return data, err
}

func (k *keyring) byIdentity(h *header) ([]byte, error) {
	data, err := dataKey(h.Recipients, "identity", k.identities...)
	if k.reading {
		return data, err
	}
	if errors.Is(err, stage.ErrKey) && h.Author == nil {
		return nil, fmt.Errorf("%w: it is for other recipients", stage.ErrOtherKey)
	}
	if err != nil {
		return nil, err
	}
	author, err := k.author(data)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(author, h.Author) {
		return nil, fmt.Errorf("%w: it was created without the identity", stage.ErrOtherKey)
	}
	return data, nil
}

// admits returns ErrOtherKey if a header admits other readers than the pipeline
// names.
func (k *keyring) admits(h *header, data []byte) error {
	mac, err := k.readers(data)
	if err != nil {
		return err
	}
	if hmac.Equal(mac, h.Readers) && (k.passphrase != "") == (h.Passphrase != nil) {
		return nil
	}
	var by []string
	if n := len(k.public); n > 0 {
		by = append(by, fmt.Sprintf("the identity of one of %d recipients", n))
	}
	if k.passphrase != "" {
		by = append(by, "a passphrase")
	}
	return otherReaders{strings.Join(by, " or ")}
}

func (k *keyring) readers(data []byte) ([]byte, error) {
	return tag([]byte(strings.Join(k.public, "\n")), data, "vault encrypt 1 readers")
}

// tag returns an HMAC of text under a key derived from a secret.
func tag(text, secret []byte, info string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, info, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return mac.Sum(nil), nil
}

func (h *header) wants() string {
	var by []string
	if h.Recipients != nil {
		by = append(by, "the identity of a recipient")
	}
	if h.Passphrase != nil {
		by = append(by, "a passphrase")
	}
	return strings.Join(by, " or ")
}

func dataKey(file []byte, what string, ids ...age.Identity) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(file), ids...)
	if err != nil {
		var none *age.NoIdentityMatchError
		if errors.As(err, &none) {
			return nil, fmt.Errorf("%w: this %s does not open it", stage.ErrKey, what)
		}
		return nil, fmt.Errorf("opening the data key with the %s: %w", what, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, chacha20poly1305.KeySize+1))
	if err != nil || len(data) != chacha20poly1305.KeySize {
		return nil, errors.Join(fmt.Errorf("%w: the data key has %d bytes instead of %d", stage.ErrCorrupt, len(data), chacha20poly1305.KeySize), err)
	}
	return data, nil
}
