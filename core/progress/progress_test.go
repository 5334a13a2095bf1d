package progress_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/progress"
)

// run reports a run of 500 MiB at 5 MiB/s, five events a second, 20 units.
func run(r progress.Reporter) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r.Report(progress.Event{Time: at, Kind: progress.Phase, Phase: "read"})
	for i := range int64(500) {
		at = at.Add(200 * time.Millisecond)
		r.Report(progress.Event{Time: at, Kind: progress.Moving, Bytes: (i + 1) << 20, TotalBytes: 500 << 20, Units: i / 25, TotalUnits: 20})
	}
	r.Report(progress.Event{Time: at, Kind: progress.Done})
}

func TestPlainLinesComeEveryTenSecondsWithRateAndTimeLeft(t *testing.T) {
	var out bytes.Buffer
	r := progress.NewPlain(&out)
	run(r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 11 { // the phase, ten times ten seconds
		t.Fatalf("%d lines:\n%s", len(lines), out.String())
	}
	if want := "read:  10 %, 50 MiB of about 500 MiB, 5.0 MiB/s, 1m30s left, unit 1 of 20"; lines[1] != want {
		t.Errorf("after ten seconds it says\n%s, want\n%s", lines[1], want)
	}
}

func TestATerminalKeepsOneLineNoWiderThanItIs(t *testing.T) {
	var out bytes.Buffer
	r := progress.NewTerminal(&out, func() int { return 60 })
	run(r)
	if _, err := fmt.Fprintln(r, "a line of the log"); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(out.String(), "\r\x1b[K") {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 59 && !strings.Contains(line, "\n") {
			t.Errorf("%d characters: %q", n, line)
		}
	}
	if strings.Count(out.String(), "\n") != 1 {
		t.Errorf("the log is not above the bar: %q", out.String())
	}
	if !strings.HasSuffix(out.String(), "\r\x1b[Ka line of the log\n") {
		t.Errorf("the bar is not gone at the end: %q", out.String()[out.Len()-80:])
	}
}

func TestJSONHasAnEventPerLineAndOneASecondOfProgress(t *testing.T) {
	var out bytes.Buffer
	r := progress.NewJSON(&out)
	run(r)
	kinds := map[progress.Kind]int{}
	for s := bufio.NewScanner(&out); s.Scan(); {
		var e progress.Event
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v", s.Text(), err)
		}
		kinds[e.Kind]++
	}
	if kinds[progress.Moving] != 100 || kinds[progress.Phase] != 1 || kinds[progress.Done] != 1 {
		t.Errorf("events are %v", kinds)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAnErrorOfWritingIsNotLost(t *testing.T) {
	for _, r := range []progress.Reporter{
		progress.NewPlain(broken{}), progress.NewJSON(broken{}), progress.NewTerminal(broken{}, func() int { return 80 }),
	} {
		run(r)
		if err := r.Close(); err == nil || err.Error() != "no space left on device" {
			t.Errorf("%T.Close gave %v", r, err)
		}
	}
}
