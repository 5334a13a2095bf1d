package host_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
)

// journal is a log handler that tests can inspect.
type journal struct {
	mu      *sync.Mutex
	records *[]entry
	attrs   []slog.Attr
}

type entry struct {
	level slog.Level
	text  string
	attrs map[string]string
}

func newJournal() *journal { return &journal{mu: &sync.Mutex{}, records: &[]entry{}} }

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithGroup(string) slog.Handler            { return j }

func (j *journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &journal{j.mu, j.records, append(slices.Clone(j.attrs), attrs...)}
}

func (j *journal) Handle(_ context.Context, r slog.Record) error {
	e := entry{r.Level, r.Message, map[string]string{}}
	for _, a := range j.attrs {
		e.attrs[a.Key] = a.Value.String()
	}
	r.Attrs(func(a slog.Attr) bool {
		e.attrs[a.Key] = a.Value.String()
		return true
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	*j.records = append(*j.records, e)
	return nil
}

// find returns the first record whose text begins with text.
func (j *journal) find(t testing.TB, text string) entry {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range *j.records {
		if strings.HasPrefix(e.text, text) {
			return e
		}
	}
	t.Fatalf("no log entry begins with %q", text)
	return entry{}
}

func (j *journal) count(text string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range *j.records {
		if strings.HasPrefix(e.text, text) {
			n++
		}
	}
	return n
}

// loud fails the test if a library logs above debug level.
func (j *journal) loud(t testing.TB) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range *j.records {
		if e.attrs["from"] == "go-plugin" && e.level > slog.LevelDebug {
			t.Errorf("go-plugin's line %q is logged as %v", e.text, e.level)
		}
	}
}
