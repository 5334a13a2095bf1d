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

// run reports a run of 500 MiB at 5 MiB/s with five events a second and 20 units.
func run(r progress.Reporter) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r.Report(progress.Event{Time: at, Kind: progress.Phase, Phase: "read"})
	for i := range int64(500) {
		at = at.Add(200 * time.Millisecond)
		r.Report(progress.Event{Time: at, Kind: progress.Moving, Bytes: (i + 1) << 20, TotalBytes: 500 << 20, Units: i / 25, TotalUnits: 20})
	}
	r.Report(progress.Event{Time: at, Kind: progress.Done})
}

func TestPlainWritesRateAndTimeLeft(t *testing.T) {
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
		t.Errorf("after ten seconds got\n%s, want\n%s", lines[1], want)
	}
}

func TestTerminalKeepsOneLineWithinWidth(t *testing.T) {
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
		t.Errorf("log line is not above the bar: %q", out.String())
	}
	if !strings.HasSuffix(out.String(), "\r\x1b[Ka line of the log\n") {
		t.Errorf("bar remains at the end: %q", out.String()[out.Len()-80:])
	}
}

func TestJSONThrottlesMoving(t *testing.T) {
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

func TestCloseReturnsWriteError(t *testing.T) {
	for _, r := range []progress.Reporter{
		progress.NewPlain(broken{}), progress.NewJSON(broken{}), progress.NewTerminal(broken{}, func() int { return 80 }),
	} {
		run(r)
		if err := r.Close(); err == nil || err.Error() != "no space left on device" {
			t.Errorf("%T.Close returned %v", r, err)
		}
	}
}

// Planning and proving count nothing. They show their duration instead of a bar at 100 %
// with a falling rate.
func TestPhaseWithoutCountsShowsDuration(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		var out bytes.Buffer
		var r progress.Reporter = progress.NewPlain(&out)
		want := "plan\nplan: 10s\nread\nprove\nprove: 10s\n"
		if terminal {
			r = progress.NewTerminal(&out, func() int { return 80 })
			want = "\r\x1b[Kplan …\r\x1b[Kplan … 10s\r\x1b[Kread …\r\x1b[Kprove …\r\x1b[Kprove … 10s\r\x1b[K"
		}
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		r.Report(progress.Event{Time: at, Kind: progress.Phase, Phase: "plan"})
		r.Report(progress.Event{Time: at.Add(10 * time.Second), Kind: progress.Moving})
		done := progress.Event{Time: at.Add(20 * time.Second), Bytes: 1 << 20, TotalBytes: 1 << 20, Units: 2, TotalUnits: 2}
		r.Report(progress.Event{Time: at.Add(11 * time.Second), Kind: progress.Phase, Phase: "read"})
		done.Kind, done.Phase = progress.Phase, "prove"
		r.Report(done)
		done.Kind, done.Time = progress.Moving, at.Add(30*time.Second)
		r.Report(done)
		if err := r.Close(); err != nil || out.String() != want {
			t.Errorf("got %q, want %q (%v)", out.String(), want, err)
		}
	}
}

// A slow start of the first unit must not make the rate look low for long.
func TestRateStartsAsMeanOfPhase(t *testing.T) {
	var out bytes.Buffer
	r := progress.NewPlain(&out)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r.Report(progress.Event{Time: at, Kind: progress.Phase, Phase: "read"})
	for s := range 11 {
		r.Report(progress.Event{Time: at.Add(time.Duration(s) * time.Second), Kind: progress.Moving, Bytes: int64(max(0, s-1)) * 10 << 20, TotalBytes: 900 << 20})
	}
	if want := "read\nread:  10 %, 90 MiB of about 900 MiB, 9.0 MiB/s, 1m30s left\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
