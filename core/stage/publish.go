package stage

import "context"

// Exposer is an optional interface of a sink that prepares its publication, so that
// visitors never see a mix of the old site and the new one.
//
// After the proofs of all targets, the run calls Expose of the targets in the order
// databases, file pool, data root. It then calls Publish in the order databases, data root,
// file pool, and at last Settle of all targets that have it. A target without this
// interface is published at its place in that order.
//
// When a database is published, the others can only follow. So from then on the run no
// longer calls Abort on an exposed target, only Close: it stays as it is until Complete or
// until a later Begin.
type Exposer interface {
	Sink
	// Expose makes available what of the new site can stand beside the old one, and records
	// what a Recoverer needs. run identifies the publication; it consists of letters,
	// digits and hyphens. Nothing of the old site is removed or changed, but the sink of a
	// data root closes the site for visitors. Abort, and Begin of a later run, remove what
	// was added.
	Expose(ctx context.Context, run string) error
	// Settle is called after all targets are published. It removes what Expose recorded,
	// and opens the site. It may be called without Begin, to settle a run that died; it may
	// be repeated after an error.
	Settle(ctx context.Context) error
}

// Decider is an optional interface of a sink of tables that exchanges the sites in one
// step: it can tell afterwards whether it did.
type Decider interface {
	Exposer
	// Published reports whether Publish took effect after Expose with the same run, which
	// is not yet settled. It may be called without Begin, in another process. It changes
	// nothing.
	Published(ctx context.Context, run string) (bool, error)
}

// SettledRun precedes the ID of a run, see Recoverer.Exposed.
const SettledRun = "settled-"

// Recoverer is an optional interface of a sink of files whose publication can be completed
// by another process. Its methods are called without Begin, before Check. They return an
// error of class failure.Refused while another run uses the target.
type Recoverer interface {
	Exposer
	// Exposed returns the run that exposed this target and was not settled; "" if there is
	// none. If the run was settled, and left the site closed on purpose, Exposed returns its
	// ID after SettledRun until the site is opened. Exposed changes nothing.
	Exposed(ctx context.Context) (run string, err error)
	// Complete publishes what that run exposed. It does nothing if that is done. It may be
	// repeated after an error.
	Complete(ctx context.Context) error
	// Retract removes what that run exposed, so that the old site is as before.
	Retract(ctx context.Context) error
}
