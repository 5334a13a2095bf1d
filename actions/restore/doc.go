// Package restore implements the actions that run before a site is restored:
// restore-guard, which refuses to replace a site that does not allow it or that is not
// meant, and check-restore, which checks whether the backup fits the target.
package restore
