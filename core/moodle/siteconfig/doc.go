// Package siteconfig reads a Moodle site's config.php: its database, data root and
// address, and the settings that it forces. No code of the site is executed; package
// php evaluates the file.
//
// Read returns a Site. A setting whose value cannot be determined is an error only
// when it is requested: Site.Database, WWWRoot and DataRoot then return an
// *UnknownError, which names the file, the line, the expression and the remedy. The
// remedy is always one of these: a value that the web server would provide
// (Options.Server, Options.Address), an environment variable (Options.Env), or the
// setting itself (Options.Given).
//
// Passwords have the type config.Secret, and no error contains a value of config.php.
//
// A Site does not change after Read and is safe for concurrent use.
package siteconfig
