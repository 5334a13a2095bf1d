package run

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// maxNamed is the maximum number of losses that a result lists one by one. Further
// losses are counted per kind and part, which bounds memory while the counts stay
// complete.
const maxNamed = 10_000

// unnamed is the place of a group of losses; its path is their part.
const unnamed = "not named one by one"

// ledger records losses and notes by target, nil for the source: what one target
// cannot hold is not missing in another. It is safe for concurrent use.
type ledger struct {
	mu     sync.Mutex
	counts map[stage.LossKind]int64
	losses []entry[stage.Loss]
	groups map[group]int64
	notes  []entry[stage.Note]
	tell   func(by *Target, l stage.Loss) // called for each loss that is listed individually
	noted  func(by *Target, n stage.Note) // called for each note; may be nil
}

type entry[T any] struct {
	by *Target
	of T
}

type group struct {
	by   *Target
	kind stage.LossKind
	part string
}

func newLedger(tell func(*Target, stage.Loss)) *ledger {
	return &ledger{counts: map[stage.LossKind]int64{}, groups: map[group]int64{}, tell: tell}
}

func (l *ledger) lose(by *Target, losses ...stage.Loss) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, loss := range losses {
		loss.Count = max(loss.Count, 1)
		loss.Row = nil
		l.counts[loss.Kind] += loss.Count
		if len(l.losses) < maxNamed {
			l.losses = append(l.losses, entry[stage.Loss]{by, loss})
			l.tell(by, loss)
		} else {
			l.groups[group{by, loss.Kind, partOf(loss.Path)}] += loss.Count
		}
	}
}

func (l *ledger) count(kind stage.LossKind) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts[kind]
}

func (l *ledger) note(by *Target, notes ...stage.Note) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range notes {
		l.notes = append(l.notes, entry[stage.Note]{by, n})
		if l.noted != nil {
			l.noted(by, n)
		}
	}
}

// report returns all losses and notes, losses sorted by kind and path.
func (l *ledger) report() ([]stage.Loss, []stage.Note) {
	return l.matching(func(*Target) bool { return true })
}

// of returns the losses and notes of the source and of this target.
func (l *ledger) of(t *Target) ([]stage.Loss, []stage.Note) {
	return l.matching(func(by *Target) bool { return by == nil || by == t })
}

func (l *ledger) matching(wanted func(by *Target) bool) (losses []stage.Loss, notes []stage.Note) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.losses {
		if wanted(e.by) {
			losses = append(losses, e.of)
		}
	}
	for g, n := range l.groups {
		if wanted(g.by) {
			losses = append(losses, stage.Loss{Kind: g.kind, Path: g.part, Where: unnamed, Reason: "see the listed losses of this kind", Count: n})
		}
	}
	slices.SortStableFunc(losses, func(a, b stage.Loss) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Where, b.Where))
	})
	seen := map[stage.Note]bool{} // a restore repeats the notes of its snapshot
	for _, e := range l.notes {
		if wanted(e.by) && !seen[e.of] {
			seen[e.of] = true
			notes = append(notes, e.of)
		}
	}
	return losses, notes
}

// over returns an error of a class that lists what is (or "would be") lost beyond the
// budget, or nil.
func (l *ledger) over(budget map[stage.LossKind]int64, class failure.Class, is string) error {
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
	for _, e := range l.losses {
		loss := e.of
		if l.counts[loss.Kind] > budget[loss.Kind] && len(named) < 20 {
			named = append(named, "\n  "+describe(loss))
		}
	}
	return failure.New(class, "more %s lost than accepted: %s%s\nto continue anyway: %s (or accept_loss in the pipeline)",
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
