package repository

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/repository/manifest"
)

// Policy selects the snapshots to keep of a series (one site and one pipeline). It keeps the
// newest of each day, week, month or year. Days are in UTC, and weeks are those of ISO 8601.
// Periods without a snapshot do not count.
type Policy struct {
	Last, Daily, Weekly, Monthly, Yearly int
	Within                               time.Duration // keep all snapshots up to this age, relative to the newest; 0 for none
}

// IsZero reports whether the policy keeps nothing.
func (p Policy) IsZero() bool { return p == Policy{} }

// String returns the policy as flags of vault forget.
func (p Policy) String() string {
	var words []string
	for _, rule := range p.rules() {
		if rule.keep > 0 {
			words = append(words, fmt.Sprintf("keep-%s %d", rule.name, rule.keep))
		}
	}
	if p.Within > 0 {
		words = append(words, "keep-within "+FormatAge(p.Within))
	}
	return strings.Join(words, " ")
}

// rule keeps the newest snapshot of each of a number of periods.
type rule struct {
	name   string
	keep   int
	period func(id string, t time.Time) string // of a snapshot
}

func (p Policy) rules() []rule {
	return []rule{
		{"last", p.Last, func(id string, _ time.Time) string { return id }},
		{"daily", p.Daily, func(_ string, t time.Time) string { return t.Format(time.DateOnly) }},
		{"weekly", p.Weekly, func(_ string, t time.Time) string {
			year, week := t.ISOWeek()
			return fmt.Sprintf("%d-W%02d", year, week)
		}},
		{"monthly", p.Monthly, func(_ string, t time.Time) string { return t.Format("2006-01") }},
		{"yearly", p.Yearly, func(_ string, t time.Time) string { return t.Format("2006") }},
	}
}

// Keep returns, for each snapshot ID of a series, newest first, the reasons to keep it, or
// nil to remove it.
func (p Policy) Keep(ids []string, now time.Time) [][]string {
	why := make([][]string, len(ids))
	rules := p.rules()
	last := make([]string, len(rules)) // the period that was kept last
	var newest time.Time
	for i, id := range ids {
		t, _ := manifest.IdMoment(id)
		if (manifest.Ref{ID: id}).Early(now) {
			why[i] = []string{"its ID is in the future"} // else it would count as the newest until then
			continue
		}
		if newest.IsZero() {
			newest = t
		}
		for n := range rules {
			r := &rules[n]
			if period := r.period(id, t); r.keep > 0 && period != last[n] {
				last[n] = period
				r.keep--
				why[i] = append(why[i], r.name)
			}
		}
		if p.Within > 0 && newest.Sub(t) <= p.Within {
			why[i] = append(why[i], "within "+FormatAge(p.Within))
		}
	}
	return why
}

const (
	day    = 24 * time.Hour
	maxAge = 250 * 365 * day
)

// ages are the units that ParseAge accepts in addition to those of time.ParseDuration.
var ages = []struct {
	unit string
	size time.Duration
}{{"y", 365 * day}, {"w", 7 * day}, {"d", day}}

// ParseAge parses a duration such as 36h, 30d, 8w or 1y (365 days). Several units may be
// combined, largest first, as in 1y6w.
func ParseAge(text string) (time.Duration, error) {
	rest, sum := text, time.Duration(0)
	for _, a := range ages {
		number, after, ok := strings.Cut(rest, a.unit)
		n, err := strconv.ParseUint(number, 10, 13)
		if !ok || err != nil || time.Duration(n) > maxAge/a.size {
			continue
		}
		sum, rest = sum+time.Duration(n)*a.size, after
	}
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 {
			return 0, fmt.Errorf("%q is not a span of time such as 36h, 30d, 8w or 1y", text)
		}
		sum += d
	}
	if sum <= 0 || sum > maxAge {
		return 0, fmt.Errorf("%q is not a span of time such as 36h, 30d, 8w or 1y", text)
	}
	return sum, nil
}

// FormatAge formats a duration so that ParseAge can parse it.
func FormatAge(d time.Duration) string {
	var b strings.Builder
	for _, a := range ages {
		if n := d / a.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, a.unit)
			d -= n * a.size
		}
	}
	if d > 0 {
		b.WriteString(d.String())
	}
	return cmp.Or(b.String(), "0h")
}
