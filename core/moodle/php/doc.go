// Package php reads PHP files that assign values, such as a Moodle config.php,
// without running them. It is not a PHP interpreter: it evaluates the part of the
// language that such files use, and knows when it does not know.
//
// # Values
//
// Every Value is known or unknown. An unknown one holds a Reason: the file, the
// line, the expression and why. Where a condition is unknown, both branches are
// evaluated. What is equal in both stays known; what differs becomes unknown. A
// branch that ends in exit, die or throw is left out, because a file that ends
// there yields no configuration. What might have changed anything (an include
// that cannot be read, a call of code that is not evaluated and that uses global
// variables) makes all variables unknown, until they are assigned again.
//
// # What the outside is
//
// Nothing is read but through Options: files by Options.Files, the environment by
// Options.Env, what a web server would give by Options.Server. Nothing is written,
// sent or executed.
//
// # Limits
//
// Sizes of files, strings and arrays, the depth of nesting, includes and calls,
// and the number of steps are bounded, whatever the input: see Limits. Run never
// panics.
//
// # Secrets
//
// A configuration holds passwords. No error, Reason or formatted Value contains
// text of a file except names: of variables, functions, constants, and of the keys
// of the environment and of $_SERVER.
//
// Start reading at Run, then eval.go. The stages are lexer.go and lexstring.go
// (text to tokens), parser.go and expression.go (tokens to a tree, ast.go),
// and eval.go, exec.go and the files beside them (tree to values).
package php
