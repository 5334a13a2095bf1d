// Package sqltext decides which SQL text of a schema may become part of a statement:
// types, defaults and index definitions that a database or a snapshot spells in an
// engine's own SQL. An attacker who controls that text must not be able to execute
// anything with it.
//
// It is a grammar of what is allowed, not a list of what is dangerous. Tokens lexes
// text as one engine does and rejects what it does not know: comments, semicolons,
// other ways to quote, NUL. Parser accepts expressions made of literals, the table's
// own columns, operators, casts and functions that a Dialect lists. A statement, a
// subquery or a function that is not listed cannot be expressed.
//
// Each engine's package has a Dialect and the rules for types, defaults and indexes.
// All text is checked when it is read and again when it is written. Text that passes
// is used unchanged.
package sqltext
