package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/stage"
)

// Most is the maximum number of losses or notes to print. The output of --json has all.
const Most = 40

// PrintResult prints the result of a run.
func (a *App) PrintResult(r *run.Result, well bool) error {
	var b strings.Builder
	head := "done in"
	switch {
	case r.Exit == failure.Interrupted:
		head = "interrupted after"
	case r.Exit == failure.Afterwards:
		head = "done (but an action failed afterwards) in"
	case !well:
		head = "failed after"
	case r.DryRun:
		head = "dry run (nothing was written) done in"
	}
	fmt.Fprintf(&b, "%s: %s %s\n", r.Pipeline, head, r.Finished.Sub(r.Started).Round(time.Millisecond))
	if well || r.Counts != (run.Counts{}) {
		fmt.Fprintf(&b, "read: %s, %s, %s\n", Size(r.Counts.Bytes), Count(r.Counts.Rows, "row"), Count(r.Counts.Files, "file"))
		for _, key := range []string{"engine", "consistency"} {
			if v := r.Facts[key]; v != "" {
				fmt.Fprintf(&b, "%s: %s\n", key, Plain(v))
			}
		}
	}
	for _, s := range r.Stored {
		if r.DryRun {
			fmt.Fprintf(&b, "a snapshot would have %s, of which %s new; would store %s\n", Size(s.Plain), Size(s.New), Size(s.Stored))
		} else {
			fmt.Fprintf(&b, "snapshot %s: %s, of which %s new; stored %s\n", s.Snapshot, Size(s.Plain), Size(s.New), Size(s.Stored))
		}
	}
	Proofs(&b, r, well)
	Actions(&b, r.Actions)
	Losses(&b, r.Losses)
	Notes(&b, r.Notes)
	if r.Log != "" {
		fmt.Fprintf(&b, "log: %s\n", Plain(r.Log))
	}
	return a.Print(b.String())
}

// Proofs lists the tables that differ from the source. After a successful run it also
// lists what each target holds.
func Proofs(b *strings.Builder, r *run.Result, well bool) {
	var targets []string
	equal, changed, rows, refused := map[string]int{}, map[string]int{}, map[string]int64{}, map[string]int64{}
	for _, t := range r.Tables {
		if !slices.Contains(targets, t.Target) {
			targets = append(targets, t.Target)
		}
		if t.Want == t.Got && len(t.Faults) == 0 {
			equal[t.Target]++
			rows[t.Target] += t.Rows
			refused[t.Target] += t.Refused
			if t.Changed {
				changed[t.Target]++
			}
			continue
		}
		fmt.Fprintf(b, "NOT VERIFIED: %s: table %s: %s\n", t.Target, t.Table, strings.Join(t.Faults, "; "))
	}
	if !well {
		return
	}
	for _, target := range targets {
		fmt.Fprintf(b, "verified: %s: %s, %s, identical to the source", target, Count(equal[target], "table"), Count(rows[target], "row"))
		var except []string
		if n := changed[target]; n > 0 {
			except = append(except, Count(n, "table")+" as changed by transforms")
		}
		if n := refused[target]; n > 0 {
			except = append(except, Count(n, "refused row"))
		}
		if except != nil {
			fmt.Fprintf(b, ", except %s", strings.Join(except, " and "))
		}
		fmt.Fprintln(b)
	}
	for _, f := range r.Files {
		fmt.Fprintf(b, "verified: %s: %s (%s) of %s, identical to the source\n", f.Target, Count(f.Files, "file"), Size(f.Bytes), f.Part)
	}
}

// mostNotes is the maximum number of notes to print of an action before a run, such as one
// that checks the site.
const mostNotes = 5

// Actions lists the findings of actions. It only counts those that are ok, except in a
// dry run, and what exceeds Most and mostNotes.
func Actions(b *strings.Builder, list []stage.ActionResult) {
	for _, a := range list {
		if a.Skipped != "" {
			continue
		}
		moment := "before"
		if a.Moment == stage.MomentAfter {
			moment = "after"
		}
		name, fine, shown, notes := moment+" "+Plain(a.Name), 0, 0, 0
		for _, f := range a.Findings {
			switch {
			case f.Level == stage.LevelOK && !a.DryRun:
				fine++
				continue
			case shown == Most:
				continue
			case f.Level == stage.LevelNote && a.Moment != stage.MomentAfter:
				if notes++; notes > mostNotes {
					continue
				}
			}
			shown++
			fmt.Fprintf(b, "%s: %s\n", name, Plain(f.String()))
			if f.Details != "" && f.Level.Above(stage.LevelOK) {
				fmt.Fprintf(b, "%s\n", detail(f.Details))
			}
		}
		switch {
		case a.Error != "":
			fmt.Fprintf(b, "%s: failed: %s\n", name, Plain(a.Error))
		case shown+fine < len(a.Findings):
			fmt.Fprintf(b, "%s: … and %d more findings; vault check and --json show all\n", name, len(a.Findings)-shown-fine)
		case fine > 1:
			fmt.Fprintf(b, "%s: ok (%d findings)\n", name, fine)
		case shown == 0:
			fmt.Fprintf(b, "%s: ok\n", name)
		}
	}
}

// detail returns the lines of a text from another program, indented.
func detail(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = "    " + Plain(line)
	}
	return strings.Join(lines, "\n")
}

// Losses writes a line for each loss, at most Most.
func Losses(b *strings.Builder, list []stage.Loss) {
	for i, l := range list {
		if i == Most {
			fmt.Fprintf(b, "… and %d more losses; --json shows all\n", len(list)-Most)
			break
		}
		where := l.Path
		if l.Where != "" {
			where += " " + l.Where
		}
		fmt.Fprintf(b, "loss: %s ×%d: %s: %s\n", l.Kind, l.Count, Plain(where), Plain(l.Reason))
	}
}

// Notes writes a line for each note, at most Most.
func Notes(b *strings.Builder, list []stage.Note) {
	for i, n := range list {
		if i == Most {
			fmt.Fprintf(b, "… and %d more notes; --json shows all\n", len(list)-Most)
			break
		}
		fmt.Fprintf(b, "note: %s: %s\n", Plain(n.Path), Plain(n.Text))
	}
}
