// Package e2e tests whole pipelines: it runs the built program on real servers and
// files, and checks the result with plain SQL and by reading the files.
package e2e
