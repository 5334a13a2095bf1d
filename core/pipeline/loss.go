package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// ParseAccept parses one KIND=COUNT of a loss budget.
func ParseAccept(text string) (stage.LossKind, int64, error) {
	kind, count, ok := strings.Cut(text, "=")
	if !ok {
		return "", 0, errors.New("must be KIND=COUNT, such as view=1")
	}
	n, err := acceptCount(count)
	if err != nil {
		return "", 0, fmt.Errorf("the count %w", err)
	}
	if suggestion, ok := lossKind(kind); !ok {
		return "", 0, fmt.Errorf("unknown kind of loss%s: %s", config.Shown(": ", kind, lossKinds()...), suggestion)
	}
	return stage.LossKind(kind), n, nil
}

func acceptCount(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, errors.New("must be a whole number of at least 0")
	}
	return n, nil
}

func lossKind(name string) (suggestion string, ok bool) {
	names := lossKinds()
	if slices.Contains(names, name) {
		return "", true
	}
	if near := config.Nearest(name, names); near != "" {
		return near, false
	}
	return "known kinds are " + strings.Join(names, ", "), false
}

func lossKinds() []string {
	var names []string
	for _, k := range stage.LossKinds() {
		names = append(names, string(k))
	}
	return names
}
