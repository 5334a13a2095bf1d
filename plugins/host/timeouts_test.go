package host

import (
	"context"
	"testing"
	"time"
)

// A wait that ends just when its time is over cancels neither its call nor the next.
func TestEndedWaitDoesNotExpire(t *testing.T) {
	p := &process{host: New(Config{Stall: time.Hour})}
	ctx, cancel := context.WithCancelCause(t.Context())
	over := p.wait(ctx, cancel, "Storage.Get", false)
	over.end()
	next := p.wait(ctx, cancel, "Storage.Get", false)
	defer next.end()
	over.expired()
	if err := context.Cause(ctx); err != nil {
		t.Errorf("the call was cancelled: %v", err)
	}
	next.expired()
	if err := context.Cause(ctx); err == nil {
		t.Error("no wait expired")
	}
}

// Calls that end something have their own limit, however long stall is.
func TestAbortAndCloseHaveOwnLimit(t *testing.T) {
	for _, c := range []struct {
		stall time.Duration
		call  string
		want  time.Duration
	}{
		{time.Hour, "Storage.Get", time.Hour}, {time.Hour, "Sink.Abort", ending}, {time.Hour, "Plugin.Close", ending},
		{time.Second, "Sink.Abort", time.Second}, {0, "Storage.Get", 0}, {0, "Sink.Abort", ending},
	} {
		p := &process{host: New(Config{Stall: c.stall})}
		if got := p.limit(c.call); got != c.want || long(c.call) {
			t.Errorf("with %v %s may take %v, want %v", c.stall, c.call, got, c.want)
		}
	}
}
