// Package stagecmd has the commands that describe stages: stages and schema. It also
// writes the pages of docs/stages.
package stagecmd
