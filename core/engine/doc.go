// Package engine composes runs: it makes the stages that a pipeline names, puts
// repositories between storages and the runs that use them, and gives the keys to
// what reads them. Package core/run then moves the data, and knows stages by their
// contracts alone.
//
// A program embeds Vault by three calls: pipeline.Load, Build and Job.Run. Nothing in
// them changes the process: signals, the memory limit of Go's runtime and what is
// printed are the program's own affair. See the example.
package engine
