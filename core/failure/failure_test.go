package failure

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// The class given last, nearest to the user, decides the exit code.
func TestOutermostClassCounts(t *testing.T) {
	inner := New(Refused, "target is not empty")
	for _, c := range []struct {
		err  error
		want Class
	}{
		{nil, 0},
		{errors.New("x"), Failed},
		{inner, Refused},
		{fmt.Errorf("mysql: %w", inner), Refused},
		{Wrap(Unproven, inner), Unproven},
		{errors.Join(errors.New("a"), inner), Refused},
		{fmt.Errorf("reading: %w", context.Canceled), Interrupted},
	} {
		if got := Of(c.err); got != c.want {
			t.Errorf("%v is of class %d, want %d", c.err, got, c.want)
		}
	}
	if Wrap(Failed, nil) != nil {
		t.Error("Wrap(Failed, nil) is not nil")
	}
}
