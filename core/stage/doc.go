// Package stage defines the contracts between the engine and the stages that read, change,
// write or store a site: sources, transforms, sinks and storages; and the actions that run
// before and after. A composite is a stage that stands for others. A stage is built in, or
// runs in a process of its own as a plugin.
//
// A backup, a restore, a migration and a dry run are the same engine with different stages.
// Each interface states its contract; package plugins/conformance tests them. Start with
// Source, Sink, RecordTransform, ByteTransform and Storage, and with Stage, which registers
// one.
package stage
