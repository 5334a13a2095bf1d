// Package stage is the contract between the engine and everything that reads,
// changes, writes or keeps a site: sources, transforms, sinks and storages,
// built in or in a process of their own.
//
// A backup, a restore, a migration and a dry run are the same engine with other
// stages. Contracts are stated at the interfaces; package plugins/conformance
// tests them.
package stage
