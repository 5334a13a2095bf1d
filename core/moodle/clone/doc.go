// Package clone makes a copy of a Moodle site safe: it no longer sends mail, runs tasks or
// uses the keys of other services, and says that it is a copy.
//
// Measures lists what is done, as data; Config has a switch for each. New makes an
// edit.Edit of the measures that are on, which changes rows on their way into a copy or in
// its database. An Edit is safe for concurrent use. Measures are idempotent, and tables and
// columns that an older or newer Moodle does not have are skipped.
package clone
