// Package keyrange divides a table with an integer key into ranges that can be read
// in parallel and that keep their borders while the table grows.
package keyrange

import (
	"context"
	"fmt"
	"math/big"
	"strings"
)

// Range is the half-open interval of keys [From, To), in decimal digits, which can
// hold every integer type of every engine. "" means unbounded.
type Range struct{ From, To string }

// String returns "FROM..TO", the format that Parse reads.
func (r Range) String() string { return r.From + ".." + r.To }

// Parse parses the output of String.
func Parse(s string) (Range, error) {
	from, to, ok := strings.Cut(s, "..")
	for _, bound := range []string{from, to} {
		if _, isInt := new(big.Int).SetString(bound, 10); bound != "" && !isInt {
			ok = false
		}
	}
	if !ok {
		return Range{}, fmt.Errorf("key range %q is not FROM..TO", s)
	}
	return Range{from, to}, nil
}

// Split divides about rows rows with keys from first to last into ranges of about
// perRange rows. Borders are multiples of a power of two. next returns the smallest
// existing key that is at least from; Split uses it to jump over gaps, so sparse keys
// make no empty ranges and there are never more ranges than keys. The first range has
// no lower bound, the last no upper bound.
func Split(ctx context.Context, first, last string, rows, perRange int64, next func(ctx context.Context, from string) (key string, ok bool, err error)) ([]Range, error) {
	lo, ok1 := new(big.Int).SetString(first, 10)
	hi, ok2 := new(big.Int).SetString(last, 10)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("keys %q and %q are not integers", first, last)
	}
	if rows <= perRange || perRange <= 0 {
		return []Range{{}}, nil
	}
	span := new(big.Int).Sub(hi, lo)
	span.Mul(span, big.NewInt(perRange)).Div(span, big.NewInt(rows))
	shift := uint(max(span.BitLen(), 1))
	border := func(key *big.Int) *big.Int { // the first border above key
		b := new(big.Int).Rsh(key, shift) // rounds towards minus infinity
		return b.Add(b, big.NewInt(1)).Lsh(b, shift)
	}
	var ranges []Range
	from := ""
	for at := lo; ; {
		end := border(at)
		if end.Cmp(hi) > 0 {
			return append(ranges, Range{from, ""}), nil
		}
		key, ok, err := next(ctx, end.String())
		if err != nil {
			return nil, err
		}
		if !ok {
			return append(ranges, Range{from, ""}), nil
		}
		ranges = append(ranges, Range{from, end.String()})
		from = end.String()
		if at, ok = new(big.Int).SetString(key, 10); !ok || at.Cmp(end) < 0 {
			return nil, fmt.Errorf("key %q is not an integer of at least %s", key, end)
		}
	}
}
