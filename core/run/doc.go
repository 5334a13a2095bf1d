// Package run is the engine. It plans a pipeline, moves units from sources through
// transforms to sinks with several workers, accounts for losses, and has every target
// prove what it holds.
package run
