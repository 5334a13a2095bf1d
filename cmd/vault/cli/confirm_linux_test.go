package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/internal/machine"
)

// terminal returns both ends of a new terminal; person is where a person types and reads.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		machine.Missing(t, "pseudo-terminals: %v", err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		machine.Missing(t, "pseudo-terminals: %v", err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		machine.Missing(t, "pseudo-terminals: %v", err)
	}
	t.Cleanup(func() {
		if err := errors.Join(person.Close(), program.Close()); err != nil {
			t.Error(err)
		}
	})
	return person, program
}

// seen collects what is shown on a terminal.
type seen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *seen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *seen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// await waits until a text is shown.
func (s *seen) await(t *testing.T, text string) {
	t.Helper()
	for range 1000 {
		if strings.Contains(s.String(), text) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("no %q in %q", text, s.String())
}

// asked asks for a confirmation on a terminal, with a progress bar that moves meanwhile.
func asked(t *testing.T, ctx context.Context, answer string) (shown string, err error) {
	t.Helper()
	person, program := terminal(t)
	screen := &seen{}
	go func() { _, _ = io.Copy(screen, person) }() // ends when the terminal is closed
	a := &App{In: program, Out: program, Errs: program}
	a.Bar = progress.NewTerminal(program, a.width)
	a.Reporter = progress.NewStream(a.Bar)
	a.Reporter.Report(progress.Event{Kind: progress.Phase, Phase: "before"})
	a.Hidden.Add("hunter2")
	done := make(chan error)
	go func() {
		done <- a.Confirm(ctx, "Restore \"School\x1b[2J\" with hunter2 over https://example.org", false)
	}()
	screen.await(t, "Type yes: ")
	before := len(screen.String())
	for i := range 3 {
		a.Reporter.Report(progress.Event{Kind: progress.Moving, Time: time.Now().Add(time.Duration(i) * time.Second)})
	}
	a.Reporter.Flush(time.Second)
	if answer != "" {
		if _, err := io.WriteString(person, answer); err != nil {
			t.Fatal(err)
		}
	}
	err = <-done
	if during := screen.String()[before:]; strings.Contains(during, "\x1b[K") {
		t.Errorf("the bar is drawn over the question: %q", during)
	}
	return screen.String(), err
}

func TestConfirmAsksOnTerminal(t *testing.T) {
	for answer, class := range map[string]failure.Class{"yes\n": 0, " YES \n": 0, "y\n": failure.Refused, "no\n": failure.Refused, "\n": failure.Refused, "\x04": failure.Refused} {
		shown, err := asked(t, t.Context(), answer)
		if failure.Of(err) != class {
			t.Errorf("%q: %v", answer, err)
		}
		if !strings.Contains(shown, "Restore \"School�[2J\" with *** over https://example.org") || strings.Contains(shown, "hunter2") {
			t.Errorf("%q: shown is %q", answer, shown)
		}
	}
}

func TestConfirmEndsWhenInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := asked(t, ctx, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
}

func TestConfirmWithoutTerminal(t *testing.T) {
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	a := &App{In: in, Out: out, Errs: out, Reporter: progress.NewStream()}
	if err := a.Confirm(t.Context(), "Replace A?", false); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "give --yes:\nReplace A?") {
		t.Errorf("the error is %v", err)
	}
	if err := a.Confirm(t.Context(), "Replace A?", true); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(out.Name()); err != nil || string(text) != "vault: Replace A?\n" {
		t.Errorf("shown is %q, %v", text, err)
	}
	if err := errors.Join(in.Close(), out.Close()); err != nil {
		t.Error(err)
	}
}
