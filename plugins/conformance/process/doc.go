// Package process lists checks of a plugin's program itself, beside those of the
// stages in it: how it starts, greets and ends, what it says of itself, and that
// what comes over the wire in part is refused. They speak to the program without
// package host, so that what that would catch or hide is seen too.
package process
