package host

import (
	"context"
	"testing"
	"time"
)

// A wait that ends just as its time is over neither ends the call nor the next wait.
func TestAWaitThatIsOverEndsNothing(t *testing.T) {
	p := &process{host: New(Config{Stall: time.Hour})}
	ctx, cancel := context.WithCancelCause(t.Context())
	over := p.wait(ctx, cancel, "Storage.Get", false)
	over.end()
	next := p.wait(ctx, cancel, "Storage.Get", false)
	defer next.end()
	over.expired()
	if err := context.Cause(ctx); err != nil {
		t.Errorf("the call is ended: %v", err)
	}
	next.expired()
	if err := context.Cause(ctx); err == nil {
		t.Error("no wait is ever too long")
	}
}

// However patient a user is with a plugin's work, nobody waits as long to stop it.
func TestWhatEndsSomethingHasALimitOfItsOwn(t *testing.T) {
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
