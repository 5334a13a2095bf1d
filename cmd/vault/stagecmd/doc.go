// Package stagecmd implements the commands that describe stages, "stages" and "schema".
// It also generates the pages of docs/stages.
package stagecmd
