// Package storagetest provides an in-memory storage for tests of repositories.
package storagetest
