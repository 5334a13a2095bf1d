package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"golang.org/x/term"

	"github.com/lmsvault/vault/core/failure"
)

// Confirm shows a text and asks a person on the terminal to confirm it. yes confirms it
// without asking. It returns an error of class failure.Refused if the answer is not yes, or
// if there is no terminal.
func (a *App) Confirm(ctx context.Context, text string, yes bool) error {
	text = Plain(text)
	if yes {
		a.Say(text)
		return nil
	}
	if !term.IsTerminal(int(a.In.Fd())) || !term.IsTerminal(int(a.Errs.Fd())) {
		return failure.New(failure.Refused, "this must be confirmed, and there is no terminal to ask; check it and give --yes:\n%s", text)
	}
	a.Reporter.Flush(flushTime)
	if a.Bar != nil {
		defer a.Bar.Hold()()
	}
	if _, err := fmt.Fprintf(a.discreet(a.Errs), "%s\nContinue? Type yes: ", text); err != nil {
		return err
	}
	line, err := a.line(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return failure.New(failure.Refused, "reading the answer: %w", err)
	case strings.EqualFold(line, "yes"):
		return nil
	}
	return failure.New(failure.Refused, "not confirmed")
}

// AskText asks for a line of text on the terminal. It returns an error of class
// failure.Usage if there is no terminal.
func (a *App) AskText(ctx context.Context, prompt string) (string, error) {
	if !term.IsTerminal(int(a.In.Fd())) || !term.IsTerminal(int(a.Errs.Fd())) {
		return "", failure.New(failure.Usage, "there is no terminal to ask")
	}
	a.settle()
	if _, err := fmt.Fprint(a.discreet(a.Errs), prompt); err != nil {
		return "", err
	}
	return a.line(ctx)
}

// line reads a line of the terminal, without its end and the space around it.
func (a *App) line(ctx context.Context) (string, error) {
	type answer struct {
		line string
		err  error
	}
	answered := make(chan answer, 1)
	go func() { // after a signal it runs until the process exits: a read of a terminal cannot be interrupted
		line, err := bufio.NewReader(a.In).ReadString('\n')
		answered <- answer{strings.TrimSpace(line), err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case got := <-answered:
		return got.line, got.err
	}
}
