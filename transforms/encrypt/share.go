package encrypt

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/stage"
)

var _ stage.Sharer = (*transform)(nil)

// Share wraps the data key for the recipients and the passphrase of another encrypt
// transform.
func (t *transform) Share(_ context.Context, with stage.ByteTransform, headers [][]byte) ([]byte, error) {
	other, ok := with.(*transform)
	if !ok {
		return nil, fmt.Errorf("encrypt shares its key only with another encrypt, not with %T", with)
	}
	t.mu.RLock()
	data := t.data
	t.mu.RUnlock()
	if data == nil {
		return nil, errNoKey
	}
	for _, raw := range headers {
		same, err := other.keys.admitted(raw, data)
		if err != nil {
			return nil, err
		}
		if same {
			return nil, fmt.Errorf("who is to be admitted %w: %s opens the key already", stage.ErrExist, readersOf(raw))
		}
	}
	keys := other.keys
	if len(t.keys.identities) > 0 && !t.keys.reading { // which has proven that the key belongs to its holder
		keys.identities, keys.secret = t.keys.identities, t.keys.secret
		if header, err := keys.wrap(data); !errors.Is(err, stage.ErrKey) {
			return header, err
		}
		keys.identities, keys.secret = nil, "" // it does not belong to any of the recipients
	}
	return keys.wrap(data)
}

// admitted reports whether a header of the data key is for exactly the readers of k.
func (k *keyring) admitted(raw, data []byte) (bool, error) {
	var h header
	if json.Unmarshal(raw, &h) != nil || h.Format != 1 {
		return false, nil // it is for other readers
	}
	mac, err := k.readers(data)
	if err != nil || !hmac.Equal(mac, h.Readers) || (k.passphrase != "") != (h.Passphrase != nil) {
		return false, err
	}
	if k.passphrase == "" {
		return true, nil
	}
	own, err := k.byPassphrase(&h)
	if errors.Is(err, stage.ErrKey) {
		return false, nil
	}
	return err == nil && bytes.Equal(own, data), err
}

// Readers describes who can open a header.
func (t *transform) Readers(raw []byte) (string, error) {
	var h header
	if err := json.Unmarshal(raw, &h); err != nil {
		return "", fmt.Errorf("%w: the key header is not readable: %w", stage.ErrCorrupt, err)
	}
	return readersOf(raw), nil
}

func readersOf(raw []byte) string {
	var h header
	if json.Unmarshal(raw, &h) != nil {
		return "nobody"
	}
	recipients := ""
	switch n := bytes.Count(h.Recipients, []byte("\n-> X25519 ")); {
	case h.Recipients == nil:
	case n == 1:
		recipients = "1 recipient"
	case n > 1:
		recipients = fmt.Sprintf("%d recipients", n)
	default:
		recipients = "recipients"
	}
	switch {
	case h.Passphrase != nil && recipients != "":
		return "a passphrase, " + recipients
	case h.Passphrase != nil:
		return "a passphrase"
	}
	return recipients
}
