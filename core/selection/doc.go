// Package selection says which part of a site a run reads: tables, rows and files.
//
// A Selection is plain data. The engine sends it to every source when it plans;
// each source applies what concerns it and reports what it left out. SQL sources
// compile conditions with Filter.SQL, all others ask Filter.Keep, and both mean
// the same: values are compared byte by byte in their canonical text, whatever
// the collation of the column.
package selection
