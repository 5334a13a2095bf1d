// Package mask replaces personal data in the rows of a Moodle site, so that a copy can be
// given to people who must not see it.
//
// New makes an edit.Edit, which is safe for concurrent use. A mask depends only on the
// value and a secret key: a value has the same mask in all tables, so joins stay whole, and
// another key gives other masks. Masks keep the script of a value and fit into its column.
// Usernames and e-mail addresses that differ have masks that differ.
package mask
