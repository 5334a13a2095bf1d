package stage

import "context"

// Noter is a source or sink that knows only at the end what a person should know: a
// source what it has left out on purpose, a sink what it could not clear away or give
// back as it was. It is optional.
type Noter interface {
	// Notes is called once: of a source when all units have been read, of a sink after
	// a Publish that returned nil, and before Close.
	Notes(ctx context.Context) ([]Note, error)
}
