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

// defaultWork is scrypt's cost as a power of two: 64 MiB of memory and some
// tenths of a second. maxWork is the most that a header may ask for.
const (
	defaultWork = 16
	maxWork     = 18
)

// keyring is what the pipeline gave: who may open, and what opens.
type keyring struct {
	recipients []age.Recipient
	passphrase string
	identities []age.Identity
	secret     string // the identities' text, from which the author tag's key comes
	work       int
	reading    bool // nothing is sealed under what is opened
}

// header is what stands in a repository in clear. age lets no passphrase share a
// file with recipients, so that each has a file of its own around the data key.
type header struct {
	Format     int    `json:"format"`
	Recipients []byte `json:"recipients,omitempty"` // an age file
	Passphrase []byte `json:"passphrase,omitempty"` // an age file
	// Author is an HMAC-SHA-256 of the data key under a key derived from the
	// identity, where its holder made the header. Anybody can wrap a data key for
	// a recipient; by this the holder knows a key of his own and writes under no other.
	Author []byte `json:"author,omitempty"`
}

func (k *keyring) wrap(data []byte) ([]byte, error) {
	if len(k.recipients) == 0 && k.passphrase == "" {
		return nil, errors.New("encrypt needs a recipient or a passphrase to write; an identity alone can only read")
	}
	h := header{Format: 1}
	var err error
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
	if len(k.identities) > 0 {
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
	key, err := hkdf.Key(sha256.New, []byte(k.secret), nil, "vault encrypt 1 author", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("deriving the author key: %w", err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(data)
	return mac.Sum(nil), nil
}

// unwrap recovers the data key: by the passphrase where both have one, else by
// the identity. Who also writes takes from an identity only a key of his own making.
func (k *keyring) unwrap(raw []byte) ([]byte, error) {
	var h header
	if err := json.Unmarshal(raw, &h); err != nil {
		return nil, fmt.Errorf("%w: the key header is not readable: %w", stage.ErrCorrupt, err)
	}
	if h.Format != 1 {
		return nil, fmt.Errorf("the key header has format %d, and this version of vault knows 1: take a newer vault", h.Format)
	}
	switch {
	case k.passphrase != "" && h.Passphrase != nil:
		id, err := age.NewScryptIdentity(k.passphrase)
		if err != nil {
			return nil, fmt.Errorf("using the passphrase: %w", err)
		}
		id.SetMaxWorkFactor(maxWork)
		return dataKey(h.Passphrase, "passphrase", id)
	case len(k.identities) > 0 && h.Recipients != nil:
		data, err := dataKey(h.Recipients, "identity", k.identities...)
		if err != nil || k.reading {
			return data, err
		}
		author, err := k.author(data)
		if err != nil {
			return nil, err
		}
		if !hmac.Equal(author, h.Author) {
			return nil, fmt.Errorf("%w: this key was made by somebody who did not hold the identity, so that nothing is written under it; "+
				"give the identity without recipients and passphrase to read it", stage.ErrKey)
		}
		return data, nil
	case k.passphrase != "" || len(k.identities) > 0:
		return nil, fmt.Errorf("%w: the key can be opened with %s, which was not given", stage.ErrKey, h.wants())
	}
	return nil, fmt.Errorf("%w: neither a passphrase nor an identity was given, and the key opens with %s", stage.ErrKey, h.wants())
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
