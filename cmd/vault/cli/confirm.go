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
	answer := make(chan string, 1)
	failed := make(chan error, 1)
	go func() { // ends with the process if nobody answers
		line, err := bufio.NewReader(a.In).ReadString('\n')
		if err != nil {
			failed <- err
			return
		}
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-failed:
		return failure.New(failure.Refused, "reading the answer: %w", err)
	case line := <-answer:
		if strings.EqualFold(line, "yes") {
			return nil
		}
	}
	return failure.New(failure.Refused, "not confirmed")
}
