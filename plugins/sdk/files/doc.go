// Package files makes a storage of a file server, such as one that is reached by
// SFTP, FTP or SMB. The author of a plugin says how to connect, and how a Server
// makes, reads and renames files; what a storage must keep beside that is here:
//
//   - an object is seen whole or not at all: it is a temporary file until it is on disk;
//   - what a crash left is not listed, and removed after a day;
//   - a connection that is lost is a temporary error, and made again by the next call;
//   - Create stores an object only where none is, if the Server can rename so;
//   - ranges, prefixes, errors and cancelling are as stage.Storage has them.
package files
