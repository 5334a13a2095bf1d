// Package cli is what all commands of vault share: flags and settings, the output for
// people and machines, loading pipeline files, passphrases, plugins and isolation.
// A command gets an App, which is made once per process.
package cli
