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

// Colourful tells whether results may have colours.
func (a *App) Colourful() bool {
	return os.Getenv("NO_COLOR") == "" && !a.Flag("no-color").On && term.IsTerminal(int(a.Out.Fd()))
}

// Count says "1 file" or "3 files".
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

// Print prints a result, below where a bar was.
func (a *App) Print(text string) error {
	a.settle()
	_, err := fmt.Fprint(a.discreet(a.Out), text)
	return err
}

// settle takes a bar away.
func (a *App) settle() {
	a.Reporter.Flush(flushTime)
	if a.Bar != nil {
		a.Bar.Report(progress.Event{Kind: progress.Done})
	}
}

// Table prints lines of cells in columns.
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

// Plain replaces what could move a terminal's cursor: names may hold anything.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) && r != '\n' {
			return '�'
		}
		return r
	}, s)
}

// PrintJSON prints a document for machines; no event follows it.
func (a *App) PrintJSON(v any) error {
	a.printed.Store(true)
	out := json.NewEncoder(a.DiscreetJSON(a.Out))
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(v)
}

// Say writes a message for people.
func (a *App) Say(text string) {
	to := a.discreet(a.Errs)
	if a.Bar != nil {
		to = a.Bar // above it
	}
	if _, err := fmt.Fprintln(to, "vault: "+text); err != nil {
		return // there is nobody left to tell
	}
}
