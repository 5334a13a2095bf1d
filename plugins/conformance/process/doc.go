// Package process lists checks of a plugin's program, in addition to those of its stages:
// how it starts, completes the handshake and exits, what it declares, and that it refuses
// incomplete streams. The checks talk to the program without package host, so that they
// also see what the host would catch or hide.
package process
