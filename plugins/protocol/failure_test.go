package protocol

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// crossed returns an error of a plugin as the host receives it.
func crossed(t *testing.T, err error) error {
	t.Helper()
	trailer, sent := Encode(err)
	got, ok := Decode(sent, trailer)
	if !ok {
		t.Errorf("%v is taken for a transport error", err)
	}
	return got
}

// An error of a stage keeps its text, class and kind.
func TestErrorRoundTrip(t *testing.T) {
	err := failure.New(failure.Refused, "object x: %w", stage.ErrCorrupt)
	if got := crossed(t, err); got.Error() != err.Error() || failure.Of(got) != failure.Refused || !errors.Is(got, stage.ErrCorrupt) {
		t.Errorf("%v, class %d", got, failure.Of(got))
	}
}

// A temporary error keeps its delay, whatever else it is.
func TestTemporaryErrorRoundTrip(t *testing.T) {
	for _, after := range []time.Duration{0, 1500 * time.Millisecond, time.Hour} {
		err := fmt.Errorf("object x: %w", stage.Temporary(errors.New("busy"), after))
		got := crossed(t, err)
		if wait, ok := stage.IsTemporary(got); got.Error() != err.Error() || !ok || wait != after {
			t.Errorf("after %v: %#v", after, got)
		}
	}
	both := crossed(t, failure.New(failure.Refused, "%w", stage.Temporary(stage.ErrCorrupt, 0)))
	if _, ok := stage.IsTemporary(both); !ok || failure.Of(both) != failure.Refused || !errors.Is(both, stage.ErrCorrupt) {
		t.Errorf("with class and kind: %#v", both)
	}
	for _, after := range []string{"", "soon", "-1", "1e3", "99999999999999999999", "86400001"} {
		got, _ := Decode(status.Error(codes.Unknown, "odd"), metadata.Pairs(classKey, "1", laterKey, after))
		if wait, ok := stage.IsTemporary(got); !ok || wait != 0 {
			t.Errorf("%q gives the delay %v", after, wait)
		}
	}
	got := crossed(t, stage.ErrExist)
	if _, again := stage.IsTemporary(got); again || !errors.Is(got, stage.ErrExist) {
		t.Error("ErrExist is not preserved")
	}
}

// A class is an exit code that scripts act on. A plugin can't invent one, and only the side
// that cancelled can report an interruption.
func TestPluginCannotInventClass(t *testing.T) {
	for _, err := range []error{
		failure.New(77, "odd"), failure.New(0, "odd"), failure.New(-1, "odd"), failure.New(5, "odd"),
		failure.New(failure.Interrupted, "interrupted"), fmt.Errorf("my own timer: %w", context.Canceled), context.DeadlineExceeded,
	} {
		got := crossed(t, err)
		if failure.Of(got) != failure.Failed || errors.Is(got, context.Canceled) || errors.Is(got, context.DeadlineExceeded) {
			t.Errorf("%v: class %d", got, failure.Of(got))
		}
	}
	got, ok := Decode(status.Error(codes.Canceled, "no trailer"), nil)
	if !ok || failure.Of(got) != failure.Failed || !errors.Is(got, ErrCanceled) {
		t.Errorf("error without a class: %v, class %d", got, failure.Of(got))
	}
	for _, class := range []string{"", "x", "0", "130", "255", "99999999999999999999"} {
		if got, _ := Decode(status.Error(codes.Unknown, "odd"), metadata.Pairs(classKey, class)); failure.Of(got) != failure.Failed {
			t.Errorf("class %q is %d", class, failure.Of(got))
		}
	}
}

// The text of an error can't move the cursor or fill the screen.
func TestErrorTextIsSanitized(t *testing.T) {
	for _, code := range []codes.Code{codes.Unknown, codes.Unavailable} {
		got, _ := Decode(status.Error(code, "one\x1b[2J\r\n\ttwo\u009b\x00"+strings.Repeat("é", maxShown)), nil)
		said := status.Convert(got).Message()
		if code == codes.Unknown {
			said = got.Error()
		}
		if !strings.HasPrefix(said, "one[2J\n\ttwoé") || len(said) > maxShown+100 || !strings.HasSuffix(said, "bytes more)") {
			t.Errorf("%q … (%d bytes)", said[:30], len(said))
		}
	}
}
