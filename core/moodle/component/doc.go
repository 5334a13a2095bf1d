// Package component lists the components of a Moodle code directory: core, its
// subsystems, and plugins with their versions, requirements and tables.
//
// Load finds plugins as Moodle does. PHP files are evaluated by package php and
// never executed. The result, a Code, provides the information for checks, backups and
// restores: which plugins are standard, whether their versions fit a database (Compare,
// Pending), from which release it can be upgraded (CanUpgrade), what Moodle keeps as
// allversionshash (VersionsHash), and which tables belong to a plugin (Definitions,
// Tables, Owner). Shared and Preserved list a plugin's rows in shared tables.
//
// Code.Problems lists what Load could not determine. A Code does not change after
// Load and is safe for concurrent use.
package component
