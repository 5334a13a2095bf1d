// Package sqltext decides which SQL text of a schema may become part of a
// statement: types, defaults and index definitions that a database or a snapshot
// spells in an engine's own words. Whoever can write those words must not be able
// to run anything with them.
//
// It is a grammar of what is allowed, not a list of what is dangerous. Tokens
// lexes text as one engine does and refuses what it doesn't know: comments,
// semicolons, other ways to quote, NUL. Parser accepts expressions made of literals,
// the table's own columns, operators, casts and functions that a Dialect lists. A
// statement, a subquery or a function that isn't listed can't be spelled.
//
// Each engine's package has a Dialect and the fronts for types, defaults and
// indexes; all text passes them when it is read and again when it is written. Text
// that passes is used as it is.
package sqltext
