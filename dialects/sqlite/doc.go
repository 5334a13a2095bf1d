// Package sqlite is what the source and the sink of SQLite share: connections,
// the structure of a database, types, values and rows.
//
// SQLite has five storage classes and takes any word for a type; what it makes
// of the word is only an affinity (sqlite.org, "Datatypes In SQLite"). So Vault
// declares types in a vocabulary of its own, chosen such that the affinity never
// changes a value and that the logical type can be read back:
//
//	logical type           declared as                     held as
//	int, 1 2 3 4 8 bytes   TINYINT SMALLINT MEDIUMINT      integer
//	                       INT BIGINT, UNSIGNED, (LENGTH)
//	int with a sequence    INTEGER /* as above */          integer: the rowid
//	decimal to 15 digits   DECIMAL(LENGTH,SCALE)           real or integer, which hold 15 digits exactly
//	other decimals         DECIMAL_TEXT(LENGTH,SCALE)      text
//	float, 4 and 8 bytes   FLOAT DOUBLE                    real
//	bool                   BOOLEAN                         1 and 0
//	char                   VARCHAR(LENGTH) CHAR(LENGTH)    text
//	text                   TEXT, TEXT(BYTES)               text
//	binary                 BLOB(BYTES) BLOB_FIXED(BYTES)   blob
//	bit                    BIT_TEXT(BITS)                  text
//	date, time …           DATE_TEXT TIME_TEXT(SCALE)      text
//	                       DATETIME_TEXT(SCALE)
//	                       TIMESTAMP_TEXT(SCALE) YEAR_TEXT
//	json, uuid             JSON_TEXT UUID_TEXT             text
//	enum, set              ENUM_TEXT /* … */ SET_TEXT      text
//	other                  OTHER_TEXT                      text
//
// A number that its class can't hold (an unsigned one above 2^63-1, -0, NaN) is
// a blob of its canonical text, on which SQLite still calculates.
package sqlite

// Dialect is the schema.Table.Dialect of tables of this package.
const Dialect = "sqlite"

// ApplicationID is the PRAGMA application_id of a database created by Vault: it uses
// the declared types above, and its values fit them. It spells "LVLT".
const ApplicationID = 0x4c564c54
