// Package run is the engine: it plans a pipeline, moves its units from sources
// through transforms to sinks with several workers, keeps account of what was
// lost, and has every target prove what it holds.
package run
