// Package php reads PHP files that assign values, such as a Moodle config.php,
// without executing them. It is not a PHP interpreter: it evaluates the part of the
// language that such files use, and reports every value that it cannot determine.
//
// # Values
//
// Every Value is known or unknown. An unknown one holds a Reason: the file, the
// line, the expression and the cause. If a condition is unknown, both branches are
// evaluated: values that are equal in both stay known, the others become unknown. A
// branch that ends in exit, die or throw is ignored, because a file that ends there
// yields no configuration. Code that might have changed anything (an include that
// cannot be read, a call of code that is not evaluated and that uses global
// variables) makes all variables unknown until they are assigned again.
//
// # Inputs
//
// All input comes from Options: files from Options.Files, the environment from
// Options.Env, the values of a web server from Options.Server. Nothing is written,
// sent or executed.
//
// # Limits
//
// Sizes of files, strings and arrays, the depth of nesting, includes and calls,
// and the number of steps are bounded for any input; see Limits. Run never panics.
//
// # Secrets
//
// A configuration contains passwords. No error, Reason or formatted Value contains
// text of a file except the names of variables, functions, constants, environment
// variables and keys of $_SERVER.
//
// Start reading at Run, then eval.go. lexer.go and lexstring.go convert text to
// tokens, parser.go and expression.go tokens to a tree (ast.go), and eval.go, exec.go
// and related files evaluate the tree.
package php
