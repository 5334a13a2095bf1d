// Package selection says which part of a site a run reads: tables, rows and files.
//
// A Selection is plain data. The engine sends it to every source when it plans; each
// source applies what concerns it and reports what it excluded. SQL sources compile
// conditions with Filter.SQL, all others call Filter.Keep. Both mean the same: values
// are compared byte by byte in their canonical text, regardless of the column's
// collation.
package selection
