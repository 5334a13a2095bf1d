package run

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// maxNamed is how many losses and notes a result names one by one; the counts
// go on, so memory does not grow with what is wrong with a site.
const maxNamed = 10_000

// ledger keeps what was lost and noted. Safe for concurrent use.
type ledger struct {
	mu      sync.Mutex
	counts  map[stage.LossKind]int64
	losses  []stage.Loss
	unnamed int64
	notes   []stage.Note
}

func newLedger() *ledger { return &ledger{counts: map[stage.LossKind]int64{}} }

func (l *ledger) lose(losses ...stage.Loss) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, loss := range losses {
		loss.Count = max(loss.Count, 1)
		loss.Row = nil
		l.counts[loss.Kind] += loss.Count
		if len(l.losses) < maxNamed {
			l.losses = append(l.losses, loss)
		} else {
			l.unnamed += loss.Count
		}
	}
}

func (l *ledger) note(notes ...stage.Note) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notes = append(l.notes, notes...)
}

// report returns what was kept, sorted by kind and path.
func (l *ledger) report() ([]stage.Loss, []stage.Note) {
	l.mu.Lock()
	defer l.mu.Unlock()
	losses := slices.Clone(l.losses)
	slices.SortStableFunc(losses, func(a, b stage.Loss) int {
		return strings.Compare(string(a.Kind)+"\x00"+a.Path, string(b.Kind)+"\x00"+b.Path)
	})
	notes := slices.Clone(l.notes)
	if l.unnamed > 0 {
		notes = append(notes, stage.Note{Text: fmt.Sprintf("%d more losses are counted and not named one by one", l.unnamed)})
	}
	return losses, notes
}

// over tells what is (or "would be") lost beyond the budget; nil if nothing.
func (l *ledger) over(budget map[stage.LossKind]int64, is string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var kinds, accept []string
	for _, kind := range slices.Sorted(maps.Keys(l.counts)) {
		n := l.counts[kind]
		if n > budget[kind] {
			kinds = append(kinds, fmt.Sprintf("%d %s (accepted: %d)", n, kind, budget[kind]))
			accept = append(accept, fmt.Sprintf("--accept-loss %s=%d", kind, n))
		}
	}
	if kinds == nil {
		return nil
	}
	var named []string
	for _, loss := range l.losses {
		if l.counts[loss.Kind] > budget[loss.Kind] && len(named) < 20 {
			named = append(named, "\n  "+describe(loss))
		}
	}
	return failure.New(failure.Unproven, "more %s lost than accepted: %s%s\naccept it with %s, or accept_loss in the pipeline",
		is, strings.Join(kinds, ", "), strings.Join(named, ""), strings.Join(accept, " "))
}

func describe(l stage.Loss) string {
	s := string(l.Kind) + " " + l.Path
	if l.Where != "" {
		s += " (" + l.Where + ")"
	}
	if l.Count > 1 {
		s += fmt.Sprintf(" ×%d", l.Count)
	}
	return s + ": " + l.Reason
}
