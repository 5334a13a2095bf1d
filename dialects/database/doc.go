// Package database opens the database of a Moodle site on any engine, for checks and for
// small changes: settings, tasks, the structure of tables. Sources and sinks, which move
// whole tables, use the packages of the engines.
package database
