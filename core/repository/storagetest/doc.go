// Package storagetest has a storage in memory, for the tests of repositories.
package storagetest
