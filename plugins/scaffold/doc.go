// Package scaffold creates the project from which the author of a plugin starts: small,
// buildable and passing its own tests. Each directory of templates with Go sources is such
// a program under the name my-stage.
package scaffold
