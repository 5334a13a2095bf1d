// Package xmldb reads the definitions of tables that Moodle's components have in
// db/install.xml, says what Moodle makes of them on each engine, and compares
// them with the tables of a database.
//
// Parse reads one file into Tables; Table.On makes a schema.Table of one, as
// Moodle creates it on MySQL, MariaDB or PostgreSQL; Compare lists what differs
// between all definitions and a database. A Difference says what to do about it
// and whether a backup holds it.
//
// Everything in this package is plain data and safe for concurrent use.
package xmldb
