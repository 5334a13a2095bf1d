package database

import "context"

// Settings returns the settings of a plugin, or with plugin "" those of Moodle's core, by
// name. It reads only the database; config.php may force other values.
func (d *Database) Settings(ctx context.Context, plugin string) (map[string]string, error) {
	all := map[string]string{}
	statement, args := "SELECT '', name, value FROM {config}", []any(nil)
	if plugin != "" {
		statement, args = "SELECT plugin, name, value FROM {config_plugins} WHERE plugin = ?", []any{plugin}
	}
	err := d.Each(ctx, statement, args, func(row []Text) error {
		if row[0].String == plugin { // the collation of MySQL may ignore case
			all[row[1].String] = row[2].String
		}
		return nil
	})
	return all, err
}

// StoredSettings returns a function that reports whether the database has a setting,
// whatever its value; plugin is "" for Moodle's core. The function does not use the
// database and is safe for concurrent use.
func (d *Database) StoredSettings(ctx context.Context) (func(plugin, name string) bool, error) {
	type setting struct{ plugin, name string }
	there := map[setting]bool{}
	err := d.Each(ctx, "SELECT '', name FROM {config} UNION ALL SELECT plugin, name FROM {config_plugins}", nil, func(row []Text) error {
		there[setting{row[0].String, row[1].String}] = true
		return nil
	})
	return func(plugin, name string) bool { return there[setting{plugin, name}] }, err
}
