package stage

import "context"

// Noter is an optional interface of sources, sinks and transforms of rows that have notes
// for the user only at the end: what a source left out on purpose, what a sink could not
// clean up or put back, which values a transform could not change.
type Noter interface {
	// Notes returns the notes. It is called once, before Close: for a source or a
	// transform after all units have been read, for a sink after Publish returned nil.
	Notes(ctx context.Context) ([]Note, error)
}
