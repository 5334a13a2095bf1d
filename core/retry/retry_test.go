package retry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

func busy(after time.Duration) error { return stage.Temporary(errBusy, after) }

// calls returns all calls of a storage, which holds the object x with content "content".
func calls(s *Storage) map[string]func(ctx context.Context) error {
	return map[string]func(ctx context.Context) error{
		"put":    func(ctx context.Context) error { return s.Put(ctx, "y", []byte("1")) },
		"create": func(ctx context.Context) error { return s.Create(ctx, "z", []byte("1")) },
		"delete": func(ctx context.Context) error { return s.Delete(ctx, "x") },
		"stat": func(ctx context.Context) error {
			o, err := s.Stat(ctx, "x")
			if err == nil && (o != stage.Object{Name: "x", Size: 7}) {
				err = fmt.Errorf("got %+v", o)
			}
			return err
		},
		"get": func(ctx context.Context) error {
			got, err := s.Get(ctx, []byte("before "), "x", 0, -1)
			if err == nil && string(got) != "before content" {
				err = fmt.Errorf("got %q", got)
			}
			return err
		},
		"list": func(ctx context.Context) error { return s.List(ctx, "", func(stage.Object) error { return nil }) },
		"free": func(ctx context.Context) error {
			n, err := s.Free(ctx)
			if err == nil && n != 7 {
				err = fmt.Errorf("got %d", n)
			}
			return err
		},
	}
}

func everyCall(t *testing.T, fault func(int) (error, bool), test func(t *testing.T, below *shelf, call func(ctx context.Context) error)) {
	for what := range calls(nil) {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				below := newShelf(fault)
				below.objects["x"] = []byte("content")
				test(t, below, calls(New(below))[what])
			})
		})
	}
}

func TestTemporaryErrorsAreRetried(t *testing.T) {
	everyCall(t, first(5, fmt.Errorf("the bucket: %w", busy(0))), func(t *testing.T, below *shelf, call func(context.Context) error) {
		if err := call(t.Context()); err != nil {
			t.Error(err)
		}
		if len(below.calls) != 6 {
			t.Fatalf("calls: %q", below.calls)
		}
		pause := firstPause
		for i := range 5 {
			if took := below.times[i+1].Sub(below.times[i]); took < pause/2 || took > pause*3/2+1 {
				t.Errorf("pause %d is %v, want %v ± half", i+1, took, pause)
			}
			pause *= 2
		}
	})
}

func TestPausesHaveJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[time.Duration]bool{}
		for range 20 {
			below := newShelf(first(1, busy(0)))
			if err := New(below).Put(t.Context(), "x", nil); err != nil {
				t.Fatal(err)
			}
			seen[below.times[1].Sub(below.times[0])] = true
		}
		if len(seen) < 15 {
			t.Errorf("20 callers wait for only %d different times and return at once", len(seen))
		}
	})
}

func TestPermanentErrorsAreNotRetried(t *testing.T) {
	for _, fault := range []error{errDenied, stage.Temporary(stage.ErrNotExist, 0), fmt.Errorf("%w: no space", stage.ErrCorrupt)} {
		everyCall(t, first(-1, fault), func(t *testing.T, below *shelf, call func(context.Context) error) {
			if err := call(t.Context()); !errors.Is(err, fault) || len(below.calls) != 1 {
				t.Errorf("after %d calls: %v", len(below.calls), err)
			}
		})
	}
}

func TestRetriesEndAfterMinutes(t *testing.T) {
	everyCall(t, first(-1, busy(0)), func(t *testing.T, below *shelf, call func(context.Context) error) {
		began := time.Now()
		err := call(t.Context())
		if !errors.Is(err, errBusy) || !strings.Contains(err.Error(), "gave up after ") {
			t.Errorf("error %v", err)
		}
		if took := time.Since(began); took < giveUp-2*maxPause || took > giveUp {
			t.Errorf("it took %v", took)
		}
		if n := len(below.calls); n < 10 || n > 40 {
			t.Errorf("%d calls were made", n)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	everyCall(t, first(2, busy(40*time.Second)), func(t *testing.T, below *shelf, call func(context.Context) error) {
		if err := call(t.Context()); err != nil {
			t.Error(err)
		}
		for i := range 2 {
			if took := below.times[i+1].Sub(below.times[i]); took < 40*time.Second {
				t.Errorf("the next call came after %v", took)
			}
		}
	})
}

// If the requested wait exceeds the remaining time, the error is returned at once.
func TestLongRetryAfterFailsAtOnce(t *testing.T) {
	everyCall(t, first(-1, busy(time.Hour)), func(t *testing.T, below *shelf, call func(context.Context) error) {
		began := time.Now()
		if err := call(t.Context()); !errors.Is(err, errBusy) || time.Since(began) > time.Second || len(below.calls) != 1 {
			t.Errorf("after %v and %d calls: %v", time.Since(began), len(below.calls), err)
		}
	})
}

func TestCancelEndsPause(t *testing.T) {
	everyCall(t, first(-1, busy(time.Minute)), func(t *testing.T, below *shelf, call func(context.Context) error) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		err := call(ctx)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errBusy) {
			t.Errorf("error %v, want the context's and the storage's", err)
		}
		if took := time.Since(began); took != time.Second || len(below.calls) != 1 {
			t.Errorf("ended after %v and %d calls", took, len(below.calls))
		}
	})
}

// lostAnswer lets the first call take effect and loses its reply.
func lostAnswer(n int) (error, bool) {
	if n == 1 {
		return busy(0), true
	}
	return nil, true
}

func TestLostReplyIsRetried(t *testing.T) {
	everyCall(t, lostAnswer, func(t *testing.T, below *shelf, call func(context.Context) error) {
		if err := call(t.Context()); err != nil {
			t.Errorf("after %q: %v", below.calls, err)
		}
	})
}

// A Create whose reply was lost recognizes its own object, and only that.
func TestCreateRecognizesOwnObject(t *testing.T) {
	const ours = "lock of process 1"
	for name, c := range map[string]struct {
		fault func(n int) (error, bool)
		there string // what another process created before, or between the attempts
		want  error
	}{
		"the reply was lost":                       {lostAnswer, "", nil},
		"another was first":                        {first(0, nil), "lock of process 2", stage.ErrExist},
		"another was first, with the same bytes":   {first(0, nil), ours, stage.ErrExist},
		"another was first after a failed attempt": {first(1, busy(0)), "lock of process 2", stage.ErrExist},
		"another's begins with the same bytes":     {first(1, busy(0)), ours + "0", stage.ErrExist},
		"another's is shorter":                     {first(1, busy(0)), "lock", stage.ErrExist},
		"reading it fails for a while, then it is ours": {func(n int) (error, bool) {
			if n == 1 || n == 3 {
				return busy(0), true
			}
			return nil, true
		}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				below := newShelf(c.fault)
				if c.there != "" {
					below.objects["lock"] = []byte(c.there)
				}
				if err := New(below).Create(t.Context(), "lock", []byte(ours)); !errors.Is(err, c.want) {
					t.Errorf("after %q: %v, want %v", below.calls, err, c.want)
				}
				if want := c.there; want != "" && string(below.objects["lock"]) != want {
					t.Errorf("the object is %q now", below.objects["lock"])
				}
			})
		})
	}
}

// A List that is interrupted starts again, and lists each object once.
func TestRepeatedListListsEachObjectOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := newShelf(first(3, busy(0)))
		for i := range 10 {
			below.objects[fmt.Sprint(i)] = []byte("1")
		}
		var listed []string
		err := New(below).List(t.Context(), "", func(o stage.Object) error { listed = append(listed, o.Name); return nil })
		slices.Sort(listed)
		if err != nil || strings.Join(listed, "") != "0123456789" {
			t.Errorf("listed %q, %v", listed, err)
		}
	})
}

// The callback's error, even a temporary one, is not the storage's.
func TestListReturnsCallbackError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := newShelf(first(0, nil))
		below.objects["0"], below.objects["1"] = nil, nil
		n, mine := 0, busy(0)
		err := New(below).List(t.Context(), "", func(stage.Object) error { n++; return mine })
		if err != mine || n != 1 || len(below.calls) != 1 {
			t.Errorf("%d callbacks in %d lists, error %v", n, len(below.calls), err)
		}
	})
}

// plain is a storage without optional methods.
type plain struct{ stage.Storage }

func TestMissingOptionalMethodsAreReported(t *testing.T) {
	s := New(plain{newShelf(first(0, nil))})
	if err := s.Create(t.Context(), "x", nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("create: %v", err)
	}
	if n, err := s.Free(t.Context()); n != -1 || err != nil {
		t.Errorf("free: %d, %v", n, err)
	}
	if l := s.Limits(); l != (stage.Limits{}) {
		t.Errorf("limits: %+v", l)
	}
	if l := New(newShelf(first(0, nil))).Limits(); l.Connections != 3 {
		t.Errorf("limits of a Limiter: %+v", l)
	}
}
