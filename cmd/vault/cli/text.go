package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/dustin/go-humanize"
	"golang.org/x/term"

	"github.com/lmsvault/vault/core/progress"
)

// Colourful reports whether results may have colours.
func (a *App) Colourful() bool {
	return os.Getenv("NO_COLOR") == "" && !a.Flag("no-color").On && term.IsTerminal(int(a.Out.Fd()))
}

// Count formats a number of things: "1 file" or "3 files".
func Count[N int | int64](n N, what string) string {
	if n == 1 {
		return "1 " + what
	}
	ending := "s"
	if strings.HasSuffix(what, "x") {
		ending = "es"
	}
	return humanize.Comma(int64(n)) + " " + what + ending
}

// Number formats n with thousands separators.
func Number(n int64) string { return humanize.Comma(n) }

// Size formats a number of bytes with a binary unit.
func Size(n int64) string { return humanize.IBytes(uint64(max(0, n))) }

// Print removes the progress bar and prints a result.
func (a *App) Print(text string) error {
	a.settle()
	_, err := fmt.Fprint(a.discreet(a.Out), text)
	return err
}

// settle removes the progress bar.
func (a *App) settle() {
	a.Reporter.Flush(flushTime)
	if a.Bar != nil {
		a.Bar.Report(progress.Event{Kind: progress.Done})
	}
}

// Table prints rows of cells in aligned columns.
func (a *App) Table(rows [][]string) error {
	a.settle()
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, cells := range rows {
		for i, c := range cells {
			if i > 0 {
				c = "\t" + c
			}
			if _, err := fmt.Fprint(w, a.Hidden.Redact(c)); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	return w.Flush()
}

// Plain replaces control characters, which could move a terminal's cursor: names may
// contain any byte.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) && r != '\n' {
			return '�'
		}
		return r
	}, s)
}

// PrintJSON prints a JSON document. No event may follow it.
func (a *App) PrintJSON(v any) error {
	a.printed.Store(true)
	out := json.NewEncoder(a.DiscreetJSON(a.Out))
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(v)
}

// Say prints a message for people.
func (a *App) Say(text string) {
	to := a.discreet(a.Errs)
	if a.Bar != nil {
		to = a.Bar // above the progress bar
	}
	if _, err := fmt.Fprintln(to, "vault: "+text); err != nil {
		return // a failed message cannot be reported
	}
}
