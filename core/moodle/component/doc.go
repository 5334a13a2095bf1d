// Package component lists what a folder of Moodle code is made of: core, its
// subsystems, and plugins with their versions, requirements and tables.
//
// Load reads the folder as Moodle does. PHP files are evaluated by package php and never executed. The result, a Code,
// answers what a backup and a restore ask: which plugins are standard, whether
// their versions fit a database (Compare), what Moodle keeps as allversionshash
// (VersionsHash), which plugin a table belongs to (Owner), and which rows of
// shared tables are a plugin's (SharedRows).
//
// What Load can't decide is in Code.Problems. Everything in this package is plain
// data and safe for concurrent use once it is made.
package component
