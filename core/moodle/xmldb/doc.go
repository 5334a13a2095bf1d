// Package xmldb reads the table definitions in the db/install.xml files of Moodle's
// components and compares them with a database.
//
// Parse reads one file; Table.On returns a table as Moodle creates it on MySQL,
// MariaDB or PostgreSQL; Compare lists the differences between all definitions and a
// database. Each Difference says whether a backup includes it and what an
// administrator can do about it.
//
// Nothing in this package keeps state; all functions are safe for concurrent use.
package xmldb
