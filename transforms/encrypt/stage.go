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

// Config is the stage's configuration.
type Config struct {
	Recipients []string      `key:"recipients" help:"age public keys (age1…) whose holders can read the backup" example:"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"`
	Passphrase config.Secret `key:"passphrase" help:"a passphrase that opens the backup" example:"${file:/etc/vault/passphrase}"`
	Identity   config.Secret `key:"identity" help:"an age secret key (AGE-SECRET-KEY-…) or the content of a file of them; to restore, and to go on with a repository of recipients" example:"${file:/etc/vault/identity.txt}"`

	// WorkFactor is scrypt's cost as a power of two, 0 for the default. It is no
	// setting of pipelines; tests lower it.
	WorkFactor int

	reading bool // nothing is going to be written
}

// Validate checks that there is something to encrypt to or to open with, and that it is well formed.
func (c *Config) Validate() error {
	_, err := c.keyring()
	return err
}

// SetKeys gives what opens a repository, for reading: the repository itself
// knows the recipients.
func (c *Config) SetKeys(passphrase, identity config.Secret) {
	c.Passphrase, c.Identity, c.reading = passphrase, identity, true
}

// SetOwner gives the identity that opens a repository's keys in order to share them:
// only those that its holder has made, for anybody can make one for a recipient.
func (c *Config) SetOwner(identity config.Secret) { c.Identity = identity }

// SetReaders says who is to open the keys that are shared.
func (c *Config) SetReaders(recipients []string, passphrase config.Secret) {
	c.Recipients, c.Passphrase = recipients, passphrase
}

// Reading tells whether SetKeys was called: another process that works for this
// one must know.
func (c *Config) Reading() bool { return c.reading }

func (c *Config) keyring() (keyring, error) {
	k := keyring{passphrase: c.Passphrase.Reveal(), work: c.WorkFactor}
	if k.work == 0 {
		k.work = defaultWork
	}
	for i, text := range c.Recipients {
		r, err := age.ParseRecipients(strings.NewReader(text))
		if err != nil {
			return k, config.At("recipients", "recipient %d is not an age public key (age1…): make one with age-keygen", i+1)
		}
		k.recipients = append(k.recipients, r...)
		k.public = append(k.public, lines(text)...)
	}
	slices.Sort(k.public)
	k.public = slices.Compact(k.public)
	if !c.Identity.IsZero() {
		ids, err := age.ParseIdentities(strings.NewReader(c.Identity.Reveal()))
		if err != nil { // whose text may quote the secret
			return k, config.At("identity", "identity is not an age secret key: it must be a line that begins with AGE-SECRET-KEY-, or a file of such lines (${file:…})")
		}
		k.identities = ids
		k.secret = strings.Join(lines(c.Identity.Reveal()), "\n")
	}
	k.reading = c.reading
	if !k.reading && utf8.RuneCountInString(k.passphrase) == 1 {
		return k, config.At("passphrase", "passphrase has one character only: anybody can guess it; write a longer one")
	}
	if len(k.recipients) == 0 && k.passphrase == "" && len(k.identities) == 0 {
		return k, errors.New("encrypt needs recipients or a passphrase; to read, the passphrase or an identity")
	}
	return k, nil
}

// lines drops comments and blanks, so that a key and the file it came from are the same.
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
			Summary: "Encrypts and authenticates what goes to storage, with age keys.",
			Doc: "Put it last. With `recipients` alone the machine that makes backups can't read them, and can't tell what is stored already: " +
				"each run stores everything again. With a `passphrase`, or with an `identity` beside the recipients, a run stores only what is new.\n\n" +
				"Whoever loses the passphrase and every identity has lost the backup: nobody can recover it.",
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
