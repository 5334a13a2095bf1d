// Package cli implements what all commands of vault share: flags and settings, output for
// people and machines, loading pipeline files, passphrases, plugins and isolation. All
// commands of a process share one App.
package cli
