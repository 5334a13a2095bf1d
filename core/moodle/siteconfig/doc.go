// Package siteconfig reads what a Moodle site's config.php says: its database, its
// data root, its address, and the settings that it forces. Nothing of the site is
// executed; package php evaluates the file.
//
// Read returns a Site. What config.php does not say in a way that can be read is
// no error until it is asked for: Site.Database, WWWRoot and DataRoot then
// return an *UnknownError, which names the file, the line, the expression and the
// remedy. A remedy is always one of these: a value that the web server would give
// (Options.Server, Options.Address), a variable of the environment (Options.Env),
// or the setting itself (Options.Given).
//
// Passwords are config.Secret, and no error contains a value of config.php.
//
// A Site is not changed after Read and is safe for concurrent use.
package siteconfig
