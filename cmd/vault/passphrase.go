package main

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/term"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
)

// ask asks for the passphrase of an encrypted repository. A signal ends it, and
// the terminal shows again what is typed.
func (a *app) ask(ctx context.Context) (config.Secret, error) {
	fd := int(a.in.Fd())
	if !term.IsTerminal(fd) {
		return config.Secret{}, failure.New(failure.Refused,
			"it is encrypted: give --passphrase-file or --identity-file, or set %s_PASSPHRASE", envPrefix)
	}
	before, err := term.GetState(fd)
	if err != nil {
		return config.Secret{}, fmt.Errorf("reading the passphrase: %w", err)
	}
	if _, err := fmt.Fprint(a.errs, "passphrase: "); err != nil {
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
		return config.NewSecret(string(got.text)), err
	}
}
