package main

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

// colourful tells whether results may have colours.
func (a *app) colourful() bool {
	return os.Getenv("NO_COLOR") == "" && !a.flag("no-color").on && term.IsTerminal(int(a.out.Fd()))
}

// count says "1 file" or "3 files".
func count[N int | int64](n N, what string) string {
	if n == 1 {
		return "1 " + what
	}
	ending := "s"
	if strings.HasSuffix(what, "x") {
		ending = "es"
	}
	return humanize.Comma(int64(n)) + " " + what + ending
}

func number(n int64) string { return humanize.Comma(n) }

func size(n int64) string { return humanize.IBytes(uint64(max(0, n))) }

// print prints a result, below where a bar was.
func (a *app) print(text string) error {
	a.settle()
	_, err := fmt.Fprint(a.discreet(a.out), text)
	return err
}

// settle takes a bar away.
func (a *app) settle() {
	a.reporter.Flush(flushTime)
	if a.bar != nil {
		a.bar.Report(progress.Event{Kind: progress.Done})
	}
}

// table prints lines of cells in columns.
func (a *app) table(rows [][]string) error {
	a.settle()
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, cells := range rows {
		for i, c := range cells {
			if i > 0 {
				c = "\t" + c
			}
			if _, err := fmt.Fprint(w, a.hidden.Redact(c)); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	return w.Flush()
}

// plain replaces what could move a terminal's cursor: names may hold anything.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) && r != '\n' {
			return '�'
		}
		return r
	}, s)
}

// printJSON prints a document for machines; no event follows it.
func (a *app) printJSON(v any) error {
	a.printed.Store(true)
	out := json.NewEncoder(a.discreetJSON(a.out))
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(v)
}
