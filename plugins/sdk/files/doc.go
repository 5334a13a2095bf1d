// Package files implements a storage on a file server, such as one reached by SFTP, FTP or
// SMB. The author of a plugin provides a function that connects, and a Server that creates,
// reads and renames files. This package does the rest:
//
//   - an object is never seen partially: it is written to a temporary file and renamed
//     once it is on disk;
//   - files left by a crash are not listed, and are removed after a day;
//   - a lost connection is a temporary error, and the next call reconnects;
//   - Create stores an object only if it does not exist, if the Server supports it;
//   - ranges, prefixes, errors and cancellation work as stage.Storage requires.
package files
