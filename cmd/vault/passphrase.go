package main

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/term"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
)

// passphraseVariable is the environment variable of the passphrase.
const passphraseVariable = envPrefix + "_PASSPHRASE"

// keyFlags says which flags and variable give the keys of a repository.
type keyFlags struct {
	prefix   string // of the flags passphrase-file and identity-file
	variable string // with the passphrase
	prompt   string
	writing  bool // no identity is taken: see repository.Destination
}

// The keys of the repository of a command, and of the two of a copy.
var (
	keysOfRepo = keyFlags{variable: passphraseVariable, prompt: "passphrase: "}
	keysOfFrom = keyFlags{prefix: "from-", variable: envPrefix + "_FROM_PASSPHRASE", prompt: "passphrase of FROM: "}
	keysOfTo   = keyFlags{variable: passphraseVariable, prompt: "passphrase of TO: ", writing: true}
	newKeys    = keyFlags{prefix: "new-", variable: envPrefix + "_NEW_PASSPHRASE", prompt: "new passphrase: ", writing: true}
)

// newPassphrase returns the passphrase that is to be added; on a terminal it is typed twice.
func (a *app) newPassphrase(ctx context.Context) (config.Secret, error) {
	given, _, err := a.given(ctx, newKeys)
	if err != nil || !given.IsZero() {
		return given, err
	}
	if !term.IsTerminal(int(a.in.Fd())) {
		return given, failure.New(failure.Usage, "give --new-passphrase-file, set %s, or give --recipient", newKeys.variable)
	}
	once, err := a.ask(ctx, newKeys)
	if err != nil {
		return once, err
	}
	again, err := a.ask(ctx, keyFlags{variable: newKeys.variable, prompt: "once more: "})
	if err == nil && again.Reveal() != once.Reveal() {
		err = failure.New(failure.Usage, "the two passphrases differ; nothing was added")
	}
	return once, err
}

// ask asks for the passphrase of an encrypted repository. A signal ends it, and
// the terminal shows again what is typed.
func (a *app) ask(ctx context.Context, flags keyFlags) (config.Secret, error) {
	fd := int(a.in.Fd())
	if !term.IsTerminal(fd) {
		if _, set := config.SecretVariable(flags.variable); set {
			return config.Secret{}, failure.New(failure.Refused, "it is encrypted, and %s is empty", flags.variable)
		}
		if flags.writing {
			return config.Secret{}, failure.New(failure.Refused, "it is encrypted: give --passphrase-file or set %s, or give a pipeline file that backs up to it", flags.variable)
		}
		return config.Secret{}, failure.New(failure.Refused,
			"it is encrypted: give --%spassphrase-file or --%sidentity-file, or set %s", flags.prefix, flags.prefix, flags.variable)
	}
	before, err := term.GetState(fd)
	if err != nil {
		return config.Secret{}, fmt.Errorf("reading the passphrase: %w", err)
	}
	if _, err := fmt.Fprint(a.errs, flags.prompt); err != nil {
		return config.Secret{}, err
	}
	type answer struct {
		text []byte
		err  error
	}
	answered := make(chan answer, 1)
	go func() { // where it is not waited for, it ends with the process: nothing else ends a read of a terminal
		text, err := term.ReadPassword(fd)
		answered <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		_, err := fmt.Fprintln(a.errs)
		return config.Secret{}, errors.Join(ctx.Err(), err, term.Restore(fd, before))
	case got := <-answered:
		if got.err != nil {
			return config.Secret{}, fmt.Errorf("reading the passphrase: %w", got.err)
		}
		_, err := fmt.Fprintln(a.errs)
		return a.hide(config.NewSecret(string(got.text))), err
	}
}

// given returns the passphrase and identity that the command line and the
// environment give, which may be none.
func (a *app) given(ctx context.Context, flags keyFlags) (passphrase, identity config.Secret, err error) {
	if path := a.settings.GetString(flags.prefix + "identity-file"); path != "" && !flags.writing {
		if identity, err = a.secretFile(ctx, flags.prefix+"identity-file", path); err != nil {
			return passphrase, identity, err
		}
	}
	if path := a.settings.GetString(flags.prefix + "passphrase-file"); path != "" {
		passphrase, err = a.secretFile(ctx, flags.prefix+"passphrase-file", path)
	} else {
		passphrase, _ = config.SecretVariable(flags.variable)
	}
	return a.hide(passphrase), a.hide(identity), err
}

// secretFile reads a secret from a file or a pipe. A signal ends the wait for one
// that nobody writes to.
func (a *app) secretFile(ctx context.Context, flag, path string) (config.Secret, error) {
	type answer struct {
		secret config.Secret
		err    error
	}
	read := make(chan answer, 1)
	go func() { // where it is not waited for, it ends with the process
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
