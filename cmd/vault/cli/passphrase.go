package cli

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/term"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
)

// PassphraseVariable is the environment variable with the passphrase.
const PassphraseVariable = envPrefix + "_PASSPHRASE"

// KeyFlags names the flags and the variable with the keys of a repository.
type KeyFlags struct {
	Prefix   string // of the flags passphrase-file and identity-file
	Variable string // with the passphrase
	prompt   string
	writing  bool // identities are not accepted: see repository.Destination
}

// The keys of a command's repository, and of the two repositories of a copy.
var (
	KeysOfRepo = KeyFlags{Variable: PassphraseVariable, prompt: "passphrase: "}
	KeysOfFrom = KeyFlags{Prefix: "from-", Variable: envPrefix + "_FROM_PASSPHRASE", prompt: "passphrase of FROM: "}
	KeysOfTo   = KeyFlags{Variable: PassphraseVariable, prompt: "passphrase of TO: ", writing: true}
	NewKeys    = KeyFlags{Prefix: "new-", Variable: envPrefix + "_NEW_PASSPHRASE", prompt: "new passphrase: ", writing: true}
)

// NewPassphrase returns the passphrase to add. On a terminal, it must be typed twice.
func (a *App) NewPassphrase(ctx context.Context) (config.Secret, error) {
	given, _, err := a.Given(ctx, NewKeys)
	if err != nil || !given.IsZero() {
		return given, err
	}
	if !term.IsTerminal(int(a.In.Fd())) {
		return given, failure.New(failure.Usage, "give --new-passphrase-file, set %s, or give --recipient", NewKeys.Variable)
	}
	once, err := a.Ask(ctx, NewKeys)
	if err != nil {
		return once, err
	}
	again, err := a.Ask(ctx, KeyFlags{Variable: NewKeys.Variable, prompt: "once more: "})
	if err == nil && again.Reveal() != once.Reveal() {
		err = failure.New(failure.Usage, "the two passphrases differ; nothing was added")
	}
	return once, err
}

// Ask prompts for the passphrase of an encrypted repository. A signal ends the prompt
// and restores the echo of the terminal.
func (a *App) Ask(ctx context.Context, flags KeyFlags) (config.Secret, error) {
	fd := int(a.In.Fd())
	if !term.IsTerminal(fd) {
		if _, set := config.SecretVariable(flags.Variable); set {
			return config.Secret{}, failure.New(failure.Refused, "encrypted, and %s is empty", flags.Variable)
		}
		if flags.writing {
			return config.Secret{}, failure.New(failure.Refused, "encrypted; give --passphrase-file, set %s, or give a pipeline file that backs up to it", flags.Variable)
		}
		return config.Secret{}, failure.New(failure.Refused,
			"encrypted; give --%spassphrase-file or --%sidentity-file, or set %s", flags.Prefix, flags.Prefix, flags.Variable)
	}
	before, err := term.GetState(fd)
	if err != nil {
		return config.Secret{}, fmt.Errorf("reading the passphrase: %w", err)
	}
	if _, err := fmt.Fprint(a.Errs, flags.prompt); err != nil {
		return config.Secret{}, err
	}
	type answer struct {
		text []byte
		err  error
	}
	answered := make(chan answer, 1)
	go func() { // after a signal it runs until the process exits: a read of a terminal cannot be interrupted
		text, err := term.ReadPassword(fd)
		answered <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		_, err := fmt.Fprintln(a.Errs)
		return config.Secret{}, errors.Join(ctx.Err(), err, term.Restore(fd, before))
	case got := <-answered:
		if got.err != nil {
			return config.Secret{}, fmt.Errorf("reading the passphrase: %w", got.err)
		}
		_, err := fmt.Fprintln(a.Errs)
		return a.Hide(config.NewSecret(string(got.text))), err
	}
}

// Given returns the passphrase and identity from the command line and the environment.
// Either may be unset.
func (a *App) Given(ctx context.Context, flags KeyFlags) (passphrase, identity config.Secret, err error) {
	if path := a.Settings.GetString(flags.Prefix + "identity-file"); path != "" && !flags.writing {
		if identity, err = a.SecretFile(ctx, flags.Prefix+"identity-file", path); err != nil {
			return passphrase, identity, err
		}
	}
	if path := a.Settings.GetString(flags.Prefix + "passphrase-file"); path != "" {
		passphrase, err = a.SecretFile(ctx, flags.Prefix+"passphrase-file", path)
	} else {
		passphrase, _ = config.SecretVariable(flags.Variable)
	}
	return a.Hide(passphrase), a.Hide(identity), err
}

// SecretFile reads a secret from a file or a pipe. A signal interrupts the wait for a
// pipe without a writer.
func (a *App) SecretFile(ctx context.Context, flag, path string) (config.Secret, error) {
	type answer struct {
		secret config.Secret
		err    error
	}
	read := make(chan answer, 1)
	go func() { // after a signal it runs until the process exits
		secret, err := config.SecretFile(path)
		read <- answer{secret, err}
	}()
	select {
	case <-ctx.Done():
		return config.Secret{}, ctx.Err()
	case got := <-read:
		if got.err != nil {
			return config.Secret{}, failure.New(failure.Usage, "--%s: %w", flag, got.err)
		}
		return got.secret, nil
	}
}
