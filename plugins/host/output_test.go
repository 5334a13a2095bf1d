package host

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Output becomes lines that are text, limited in length, and harmless to a terminal.
func FuzzOutput(f *testing.F) {
	f.Add([]byte("plain\r\n[WARN] careful\npanic: oh\n\ngoroutine 1 [running]:\n"))
	f.Add([]byte(`{"@timestamp":"2026-01-02T03:04:05.000006Z","@level":"error","@message":"m","a":{"b":1}}` + "\n"))
	f.Add([]byte("{\"@message\":5}\n\x1b[2J\xff\x00\n{}\n{\"@message\":\"x\",\"@level\":{},\"\":null}"))
	f.Add(append([]byte(`{"@level":"warn","@message":"`), bytes.Repeat([]byte("y"), 2*maxLine)...))
	f.Fuzz(func(t *testing.T, said []byte) {
		v := &outputLog{log: slog.New(slog.DiscardHandler)}
		n := 0
		err := lines(bytes.NewReader(said), func(line []byte) {
			n++
			if len(line) > maxLine+len(cut) || bytes.ContainsRune(line, '\n') {
				t.Errorf("line of %d bytes", len(line))
			}
			m := parse(line)
			if !utf8.ValidString(m.text) || strings.ContainsFunc(m.text, func(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\n' }) {
				t.Errorf("text is %q", m.text)
			}
			v.stderr(line)
			if handshakeLine.Match(line) {
				if err := misfit(string(line)); err != nil && !utf8.ValidString(err.Error()) {
					t.Errorf("error is %q", err)
				}
			}
		})
		if want := bytes.Count(said, []byte("\n")); err != nil || n < want || n > want+1 {
			t.Errorf("%d lines of %d, %v", n, want, err)
		}
		if last := v.said(); len(last) > (lastLines+3)*(4*lastBytes) {
			t.Errorf("%d bytes of last lines", len(last))
		}
	})
}

// The lines of a Go panic that give the reason are kept, however long the dump is.
func TestPanicReasonIsKept(t *testing.T) {
	v := &outputLog{log: slog.New(slog.DiscardHandler)}
	for range 50 {
		v.stderr([]byte("before"))
	}
	v.stderr([]byte("panic: the cause"))
	for range 500 {
		v.stderr([]byte("\tmain.go:5 +0x1"))
	}
	said := v.said()
	if !strings.Contains(said, "panic: the cause\n  \tmain.go:5") || strings.Count(said, "\n") > lastLines+3 {
		t.Errorf("got\n%s", said)
	}
}

// After a panic that the program survived, later output is logged with its own level and
// kept.
func TestRecoveredPanicIsNotTheEnd(t *testing.T) {
	for _, later := range []string{
		`{"@timestamp":"2026-01-02T03:04:05.000006Z","@level":"info","@message":"it goes on"}`,
		"[WARN] it goes on", strings.Repeat("and on\n", deathLines),
	} {
		log := &bytes.Buffer{}
		v := &outputLog{log: slog.New(slog.NewTextHandler(log, nil))}
		v.stderr([]byte("panic: recovered"))
		for line := range strings.Lines(later) {
			v.stderr([]byte(strings.TrimSuffix(line, "\n")))
		}
		log.Reset()
		for range lastLines {
			v.stderr([]byte("the end"))
		}
		if said := v.said(); strings.Count(said, "the end") != lastLines || strings.Contains(said, "recovered") {
			t.Errorf("got\n%s", said)
		}
		if strings.Contains(log.String(), "ERROR") {
			t.Errorf("logged as\n%s", log)
		}
	}
}

// Output can't control a terminal through an error message.
func TestLastLinesAreSanitized(t *testing.T) {
	v := &outputLog{log: slog.New(slog.DiscardHandler)}
	v.stderr([]byte(`{"@timestamp":"2026-01-02T03:04:05.000006Z","@level":"warn","@message":"a\u001b[2J","error":"b\u001b[31mc"}`))
	if want := "; its last lines:\n  WARN a[2J: b[31mc"; v.said() != want {
		t.Errorf("got %q, want %q", v.said(), want)
	}
}
