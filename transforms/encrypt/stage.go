package encrypt

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"filippo.io/age"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// Config is the configuration of the transform.
type Config struct {
	Recipients []string      `key:"recipients" help:"age public keys (age1…) whose holders can read the backup" example:"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"`
	Passphrase config.Secret `key:"passphrase" help:"a passphrase that opens the backup" example:"${file:/etc/vault/passphrase}"`
	Identity   config.Secret `key:"identity" help:"an age secret key (AGE-SECRET-KEY-…) or the content of a file of them; to restore, and to continue a repository with recipients" example:"${file:/etc/vault/identity.txt}"`

	// WorkFactor is scrypt's cost as a power of two, 0 for the default. It is not a
	// pipeline setting; tests lower it.
	WorkFactor int

	reading bool // nothing will be written
}

// Validate checks that the configuration has keys to encrypt or decrypt with, and
// that they are well formed.
func (c *Config) Validate() error {
	_, err := c.keyring()
	return err
}

// SetKeys sets the keys for reading a repository, which itself knows the recipients.
func (c *Config) SetKeys(passphrase, identity config.Secret) {
	c.Passphrase, c.Identity, c.reading = passphrase, identity, true
}

// SetOwner sets the identity that opens a repository's keys in order to share them.
// It opens only keys that its holder created, because anybody can create one for a
// recipient.
func (c *Config) SetOwner(identity config.Secret) { c.Identity = identity }

// SetReaders sets who can open the shared keys.
func (c *Config) SetReaders(recipients []string, passphrase config.Secret) {
	c.Recipients, c.Passphrase = recipients, passphrase
}

// Reading reports whether SetKeys was called; a stage in another process must be
// told.
func (c *Config) Reading() bool { return c.reading }

func (c *Config) keyring() (keyring, error) {
	k := keyring{passphrase: c.Passphrase.Reveal(), work: c.WorkFactor}
	if k.work == 0 {
		k.work = defaultWork
	}
	for i, text := range c.Recipients {
		r, err := age.ParseRecipients(strings.NewReader(text))
		if err != nil {
			return k, config.At("recipients", "recipient %d is not an age public key (age1…); create one with age-keygen", i+1)
		}
		k.recipients = append(k.recipients, r...)
		k.public = append(k.public, lines(text)...)
	}
	slices.Sort(k.public)
	k.public = slices.Compact(k.public)
	if !c.Identity.IsZero() {
		ids, err := age.ParseIdentities(strings.NewReader(c.Identity.Reveal()))
		if err != nil { // the error may quote the secret
			return k, config.At("identity", "identity is not an age secret key; it must be a line that begins with AGE-SECRET-KEY-, or a file of such lines (${file:…})")
		}
		k.identities = ids
		k.secret = strings.Join(lines(c.Identity.Reveal()), "\n")
	}
	k.reading = c.reading
	if !k.reading && utf8.RuneCountInString(k.passphrase) == 1 {
		return k, config.At("passphrase", "passphrase has only one character; use a longer one")
	}
	if len(k.recipients) == 0 && k.passphrase == "" && len(k.identities) == 0 {
		return k, errors.New("encrypt needs recipients or a passphrase; to read, the passphrase or an identity")
	}
	return k, nil
}

// lines drops comments and blank lines, so that a key and its file are equal.
func lines(text string) []string {
	var keys []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			keys = append(keys, line)
		}
	}
	return keys
}

// Stage is the registered stage encrypt.
func Stage() stage.Stage {
	return stage.Stage{
		Info: stage.Info{
			Name:    "encrypt",
			Role:    stage.RoleTransform,
			Seals:   true,
			Summary: "Encrypts and authenticates stored data with age keys.",
			Doc: "Put it last. With `recipients` alone the machine that makes backups cannot read them, and cannot detect what is already stored: " +
				"each run stores everything again. With a `passphrase`, or with an `identity` in addition to the recipients, a run stores only what is new.\n\n" +
				"If the passphrase and every identity are lost, the backup cannot be recovered.",
			Config: func() any { return &Config{} },
		},
		NewBytes: stage.Typed(func(_ context.Context, c *Config, _ stage.Env) (stage.ByteTransform, error) {
			k, err := c.keyring()
			if err != nil {
				return nil, failure.Wrap(failure.Usage, err)
			}
			return &transform{keys: k}, nil
		}),
	}
}
