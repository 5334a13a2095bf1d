// Package engine assembles runs: it makes the stages that a pipeline names, puts
// repositories on top of storages, and passes keys to the transforms that read them.
// Package core/run then moves the data and knows stages only by their contracts.
//
// A program embeds Vault with three calls: pipeline.Load, Build and Job.Run. None of them
// changes the process: signals, the Go memory limit and output are up to the program. See
// the example.
package engine
