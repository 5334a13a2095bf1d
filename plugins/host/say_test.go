package host

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Whatever a plugin prints becomes lines that are text, not too long, and harmless to a terminal.
func FuzzWhatAPluginPrints(f *testing.F) {
	f.Add([]byte("plain\r\n[WARN] careful\npanic: oh\n\ngoroutine 1 [running]:\n"))
	f.Add([]byte(`{"@timestamp":"2026-01-02T03:04:05.000006Z","@level":"error","@message":"m","a":{"b":1}}` + "\n"))
	f.Add([]byte("{\"@message\":5}\n\x1b[2J\xff\x00\n{}\n{\"@message\":\"x\",\"@level\":{},\"\":null}"))
	f.Add(append([]byte(`{"@level":"warn","@message":"`), bytes.Repeat([]byte("y"), 2*maxLine)...))
	f.Fuzz(func(t *testing.T, said []byte) {
		v := &voice{log: slog.New(slog.DiscardHandler)}
		n := 0
		err := lines(bytes.NewReader(said), func(line []byte) {
			n++
			if len(line) > maxLine+len(cut) || bytes.ContainsRune(line, '\n') {
				t.Errorf("a line of %d bytes", len(line))
			}
			m := parse(line)
			if !utf8.ValidString(m.text) || strings.ContainsFunc(m.text, func(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\n' }) {
				t.Errorf("the text is %q", m.text)
			}
			v.stderr(line)
			if handshakeLine.Match(line) {
				if err := misfit(string(line)); err != nil && !utf8.ValidString(err.Error()) {
					t.Errorf("the error is %q", err)
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

// Of a Go program's death the lines that say why are kept, however long its dump is.
func TestTheCauseOfADeathIsKept(t *testing.T) {
	v := &voice{log: slog.New(slog.DiscardHandler)}
	for range 50 {
		v.stderr([]byte("before"))
	}
	v.stderr([]byte("panic: the cause"))
	for range 500 {
		v.stderr([]byte("\tmain.go:5 +0x1"))
	}
	said := v.said()
	if !strings.Contains(said, "panic: the cause\n  \tmain.go:5") || strings.Count(said, "\n") > lastLines+3 {
		t.Errorf("it is\n%s", said)
	}
}
