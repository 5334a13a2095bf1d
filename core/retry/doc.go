// Package retry makes a storage reliable as far as that can be done from outside.
// It is the one place where calls of storages get a deadline and are repeated:
//
//   - a call that returned a temporary error (stage.Temporary) is repeated with
//     exponential back-off and jitter, not sooner than the storage asks for, until
//     it succeeds, its context ends or five minutes have passed;
//   - every other error is returned at once;
//   - a call that does not answer is cancelled after five minutes and the time that
//     its bytes take on a slow line. One that does not return although it was
//     cancelled is left behind, and no other call is made.
//
// A repeated Put replaces what the one before may have stored. A repeated Create
// that finds an object of the same content takes it for its own. A repeated List
// lists each object once.
package retry
