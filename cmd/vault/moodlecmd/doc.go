// Package moodlecmd is the command "moodle" with its subcommands, which work on a live
// site. Each performs one or more actions on it; see site.
package moodlecmd
