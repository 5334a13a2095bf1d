// Package retry makes calls to storages reliable. It is the only place where they get
// deadlines and are retried:
//
//   - a call that returned a temporary error (stage.Temporary) is repeated with
//     exponential back-off and jitter, but not sooner than the storage asks for,
//     until it succeeds, its context ends or five minutes have passed;
//   - every other error is returned at once;
//   - a call that does not respond is cancelled after five minutes plus the time to
//     transfer its bytes on a slow line. If it does not return even then, it is
//     abandoned, and no other call is made.
//
// A repeated Put replaces what the previous one may have stored. A repeated Create that
// finds an object with the same content takes it for its own. A repeated List lists each
// object once.
package retry
