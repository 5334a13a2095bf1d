package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/dustin/go-humanize"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// Parts smaller than this in the previous snapshot may shrink but not vanish: a few
// files are a large share of them.
const (
	leastEntries = 100 // entries or rows
	leastBytes   = 1 << 20
)

// parts counts what is read of each part of the site. It is safe for concurrent use.
type parts struct {
	mu      sync.Mutex
	amounts map[string]stage.Amount
}

func (p *parts) add(part string, a stage.Amount) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := p.amounts[part]
	sum.Files, sum.Rows, sum.Bytes = sum.Files+a.Files, sum.Rows+a.Rows, sum.Bytes+a.Bytes
	p.amounts[part] = sum
}

// recall asks the targets for the previous snapshot's holdings and records parts that
// are known to be missing before anything is read.
func (j *Job) recall(ctx context.Context, p *stage.Plan) error {
	for _, t := range j.Targets {
		h, ok := t.Sink.(stage.SnapshotSink)
		if !ok {
			continue
		}
		previous, err := h.Previous(ctx, p)
		if err != nil {
			return fmt.Errorf("%s: looking at the previous snapshot: %w", t.Name, err)
		}
		if previous != nil {
			j.previous = append(j.previous, previous)
		}
	}
	for _, previous := range j.previous {
		for _, part := range slices.Sorted(maps.Keys(previous.Parts)) {
			if had := previous.Parts[part]; had != (stage.Amount{}) && !slices.Contains(p.Parts, part) {
				j.losePart(part, fmt.Sprintf("no source reads it, but snapshot %s holds %s of it", previous.Snapshot, amountText(had)))
			}
		}
	}
	if j.hollow != nil && (j.contents == nil || slices.ContainsFunc(j.previous, func(h *stage.Holdings) bool { return h.Parts[stage.Filedir].Files > 0 })) {
		j.losePart(stage.Filedir, j.hollow.Reason)
	}
	return nil
}

// losePart counts a part as lost, at most once, unless the restored snapshot lists
// the loss already.
func (j *Job) losePart(part, reason string) {
	if j.lost[part] || j.recorded.parts[part] {
		return
	}
	j.lost[part] = true
	j.ledger.lose(nil, stage.Loss{Kind: stage.LossPart, Path: part, Reason: reason, Count: 1})
}

// weigh compares the size of each part with the previous snapshot.
func (j *Job) weigh() {
	if slices.Contains(j.parts, stage.Filedir) && j.read.amounts[stage.Filedir].Files == 0 && (j.contents == nil || j.contents.Wanted()) {
		reason := "no files found; is it mounted?"
		if j.hollow != nil {
			reason = j.hollow.Reason
		}
		j.losePart(stage.Filedir, reason)
	}
	for _, previous := range j.previous {
		for _, part := range slices.Sorted(maps.Keys(previous.Parts)) {
			had, has := previous.Parts[part], j.read.amounts[part]
			if j.shrunk(had, has) {
				j.losePart(part, fmt.Sprintf("it has %s, but snapshot %s has %s (max_shrink is %d%%); is everything mounted?",
					amountText(has), previous.Snapshot, amountText(had), j.MaxShrink))
			}
		}
	}
}

// overParts returns the error for missing parts that were not accepted. No snapshot
// is made then, because the next run would be compared with it.
func (j *Job) overParts() error {
	if j.ledger.count(stage.LossPart) <= j.Budget[stage.LossPart] {
		return nil
	}
	return j.ledger.over(j.Budget, failure.Unproven, "was")
}

// shrunk compares files by number and size but databases by rows, because a transform
// may change their bytes.
func (j *Job) shrunk(had, has stage.Amount) bool {
	less := func(had, has, least int64) bool {
		return had > 0 && has == 0 || had >= least && float64(has) < float64(had)*float64(100-j.MaxShrink)/100
	}
	if j.MaxShrink >= 100 {
		return false
	}
	if had.Rows > 0 {
		return less(had.Rows, has.Rows, leastEntries)
	}
	return less(had.Files, has.Files, leastEntries) || less(had.Bytes, has.Bytes, leastBytes)
}

func amountText(a stage.Amount) string {
	if a.Rows > 0 {
		return humanize.Comma(a.Rows) + " rows"
	}
	return fmt.Sprintf("%s files (%s)", humanize.Comma(a.Files), humanize.IBytes(uint64(max(a.Bytes, 0))))
}
