// Package e2e tests whole pipelines: the built program, real servers, real
// files, and a look at the result by plain SQL and by reading the files.
package e2e
