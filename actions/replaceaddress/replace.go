package replaceaddress

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/moodle/address"
	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/dialects/database"
)

// Result is what was replaced, or would be.
type Result struct {
	From   string  `json:"from"`
	To     string  `json:"to"`
	DryRun bool    `json:"dry_run,omitempty"`
	Tables []Table `json:"tables"` // those with something to report
}

// Rows returns the number of changed rows.
func (r *Result) Rows() int64 {
	var n int64
	for _, t := range r.Tables {
		n += t.Changed
	}
	return n
}

// Table is what was replaced in one table.
type Table struct {
	edit.Count
	Examples []Example `json:"examples,omitempty"`
}

// Example is the part of a value with the address. What follows the address is left out,
// as it may be a key or a password.
type Example struct {
	Column string `json:"column"`
	Key    string `json:"key,omitempty"` // of the row: id=5
	Before string `json:"before"`
	After  string `json:"after"`
}

// Replace replaces the address, or only counts where it is. It returns at most a number of
// examples for each table. Tables that come before an error are changed and reported.
func (c *Config) Replace(ctx context.Context, dry bool, examples int) (result *Result, err error) {
	s, err := c.Read(ctx)
	if err != nil {
		return nil, err
	}
	to := c.To
	if to == "" {
		if to, err = s.WWWRoot(); err != nil {
			return nil, err
		}
	}
	e, err := address.New(address.Options{From: c.From, To: to, OtherScheme: c.OtherScheme})
	if err != nil {
		return nil, err
	}
	d, err := s.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close(context.WithoutCancel(ctx))) }()
	shown := map[string][]Example{}
	counts, err := d.Edit(ctx, e, database.EditOptions{DryRun: dry, Changed: func(v database.ValueChange) {
		if len(shown[v.Table]) < examples {
			before, after := excerpts(v.Before.Text, v.After.Text, c.From, to)
			shown[v.Table] = append(shown[v.Table], Example{v.Column, v.Key, before, after})
		}
	}})
	result = &Result{From: c.From, To: to, DryRun: dry, Tables: []Table{}}
	for _, n := range counts {
		result.Tables = append(result.Tables, Table{n, shown[n.Table]})
	}
	return result, err
}

// around is how many bytes of a value an example shows before the address.
const around = 24

// excerpts returns where two values differ for the first time, about to the end of the old
// and the new address.
func excerpts(before, after, old, new string) (string, string) {
	at, same := common(before, after), common(old, new)
	from := max(0, at-around)
	for from > 0 && from < at && !utf8.RuneStart(before[from]) {
		from++
	}
	cut := func(s string, size int) string {
		part := strings.ToValidUTF8(s[from:min(len(s), at+size)], "\uFFFD")
		if from > 0 {
			part = "…" + part
		}
		if at+size < len(s) {
			part += "…"
		}
		return part
	}
	return cut(before, len(old)-same), cut(after, len(new)-same)
}

// common returns the length of the common beginning of two texts.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
