package address

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// change replaces the bytes from from to to by a text.
type change struct {
	from, to int
	text     string
}

// arrange sorts changes. Two of the same bytes are an error.
func arrange(changes []change) ([]change, error) {
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.from, b.from) })
	for i := 1; i < len(changes); i++ {
		if changes[i].from < changes[i-1].to {
			return nil, errors.New("the address is there in two forms at once")
		}
	}
	return changes, nil
}

// apply returns s with changes, which are in order.
func apply(s string, changes []change) string {
	if len(changes) == 0 {
		return s
	}
	var b strings.Builder
	at := 0
	for _, c := range changes {
		b.WriteString(s[at:c.from])
		b.WriteString(c.text)
		at = c.to
	}
	b.WriteString(s[at:])
	return b.String()
}

// shift moves changes by n bytes.
func shift(changes []change, n int) []change {
	for i := range changes {
		changes[i].from += n
		changes[i].to += n
	}
	return changes
}

// growth returns by how many bytes changes make a text longer.
func growth(changes []change) int {
	n := 0
	for _, c := range changes {
		n += len(c.text) - (c.to - c.from)
	}
	return n
}
