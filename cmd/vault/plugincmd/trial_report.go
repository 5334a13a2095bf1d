package plugincmd

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/host"
)

// verdict runs checks and reports their results.
type verdict struct {
	app                 *cli.App
	started             time.Time
	ok, failed, skipped int
}

const (
	outcomeOK      = "ok"
	outcomeFailed  = "failed"
	outcomeSkipped = "skipped"
)

// checked is the event that reports a check.
type checked struct {
	Time     time.Time `json:"time"`
	Event    string    `json:"event"` // check
	ID       string    `json:"id"`
	Why      string    `json:"why"`
	Outcome  string    `json:"outcome"` // ok, failed, skipped
	Seconds  float64   `json:"seconds"`
	Failures []string  `json:"failures,omitempty"`
	Reason   string    `json:"reason,omitempty"` // why it was skipped
	Logs     []string  `json:"logs,omitempty"`
}

func (v *verdict) begin(d *host.Description, s stage.Stage) error {
	if v.app.Flag("json").On {
		return nil
	}
	return v.app.Print(fmt.Sprintf("plugin %s %s, %s %s\n\n", d.Name, d.Version, s.Role, s.Name))
}

// run runs a check and shows that it is running.
func (v *verdict) run(ctx context.Context, c conformance.Check) error {
	stop := v.watch(c.ID)
	var err error
	conformance.Run(ctx, []conformance.Check{c}, func(r conformance.Result) {
		stop()
		if ctx.Err() == nil || len(r.Failures) > 0 {
			err = v.tell(r)
		}
	})
	return err
}

// slow is the interval of the lines that report a running check without a terminal.
const slow = 10 * time.Second

// watch shows that a check is running until stop is called.
func (v *verdict) watch(id string) (stop func()) {
	a := v.app
	if a.Flag("json").On || a.Flag("quiet").On {
		return func() {}
	}
	every := slow
	if a.Bar != nil {
		every = time.Second
	}
	began, over, done := time.Now(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			if a.Bar != nil {
				v.line(fmt.Sprintf("%s … %v", id, time.Since(began).Round(time.Second)))
			}
			select {
			case <-over:
				if a.Bar != nil {
					v.line("")
				}
				return
			case <-tick.C:
			}
			if a.Bar == nil {
				a.Say(fmt.Sprintf("%s is still running after %v", id, time.Since(began).Round(time.Second)))
			}
		}
	}()
	return func() { close(over); <-done }
}

// line replaces the last line of the terminal.
func (v *verdict) line(text string) {
	if _, err := fmt.Fprint(v.app.Errs, "\r\x1b[K"+text); err != nil {
		return // a failed message cannot be reported
	}
}

func (v *verdict) tell(r conformance.Result) error {
	outcome := outcomeOK
	switch {
	case len(r.Failures) > 0:
		outcome = outcomeFailed
		v.failed++
	case r.Skipped != "":
		outcome = outcomeSkipped
		v.skipped++
	default:
		v.ok++
	}
	if v.app.Flag("json").On {
		return json.NewEncoder(v.app.Out).Encode(checked{
			Time: time.Now(), Event: "check", ID: r.Check.ID, Why: r.Check.Why, Outcome: outcome,
			Seconds: r.Took.Seconds(), Failures: r.Failures, Reason: r.Skipped, Logs: r.Logs,
		})
	}
	if v.app.Flag("quiet").On && outcome != outcomeFailed {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %-24s %8s", v.paint(outcome), r.Check.ID, v.took(r.Took))
	if outcome == outcomeSkipped {
		fmt.Fprintf(&b, "  %s", indented(r.Skipped))
	}
	fmt.Fprintln(&b)
	if outcome == outcomeFailed {
		for _, f := range r.Failures {
			fmt.Fprintf(&b, "         - %s\n", indented(f))
		}
		fmt.Fprintf(&b, "         why: %s\n", r.Check.Why)
	}
	return v.app.Print(b.String())
}

func (v *verdict) took(d time.Duration) string { return fmt.Sprintf("%.2fs", d.Seconds()) }

// paint returns the outcome, padded to seven characters, in colour on a terminal.
func (v *verdict) paint(outcome string) string {
	word, colour := "ok     ", "32"
	switch outcome {
	case outcomeFailed:
		word, colour = "FAILED ", "31"
	case outcomeSkipped:
		word, colour = "skipped", "33"
	}
	if v.app.Colourful() {
		return "\x1b[" + colour + "m" + word + "\x1b[0m"
	}
	return word
}

// indented returns text with all lines indented like the first line of a failure.
func indented(text string) string {
	text = cli.Plain(strings.ReplaceAll(text, "\t", "    "))
	return strings.ReplaceAll(text, "\n", "\n           ")
}

// end prints the summary.
func (v *verdict) end(ctx context.Context, all int) error {
	done := v.ok + v.failed + v.skipped
	took := time.Since(v.started)
	var err error
	if v.app.Flag("json").On {
		err = json.NewEncoder(v.app.Out).Encode(struct {
			Time    time.Time `json:"time"`
			Event   string    `json:"event"` // summary
			Checks  int       `json:"checks"`
			OK      int       `json:"ok"`
			Failed  int       `json:"failed"`
			Skipped int       `json:"skipped"`
			Seconds float64   `json:"seconds"`
		}{time.Now(), "summary", all, v.ok, v.failed, v.skipped, took.Seconds()})
	} else {
		err = v.app.Print(fmt.Sprintf("\n%s: %d ok, %d failed, %d skipped, in %v\n", cli.Count(done, "check"), v.ok, v.failed, v.skipped, took.Round(100*time.Millisecond)))
	}
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return failure.New(failure.Interrupted, "interrupted after %d of %s: %w", done, cli.Count(all, "check"), ctx.Err())
	case v.failed > 0:
		return failure.New(failure.Failed, "%d of %s failed", v.failed, cli.Count(all, "check"))
	}
	return nil
}
