package component_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/moodle/xmldb"
	"github.com/lmsvault/vault/core/schema"
)

// A check of a site reads its code, compares versions and tables, and reports.
func Example() {
	code, err := component.LoadFS(context.Background(), fstest.MapFS{
		"version.php":         {Data: []byte("<?php $version = 2024100706.00; $release = '4.5.6'; $branch = '405';")},
		"lib/components.json": {Data: []byte(`{"plugintypes": {"mod": "mod"}, "subsystems": {}}`)},
		"lib/plugins.json":    {Data: []byte(`{"standard": {"mod": ["forum"]}}`)},
		"lib/db/install.xml": {Data: []byte(`<XMLDB><TABLES><TABLE NAME="config">
			<FIELDS><FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/></FIELDS>
			<KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS></TABLE></TABLES></XMLDB>`)},
		"mod/forum/version.php": {Data: []byte("<?php $plugin->version = 2024100700;")},
	}, component.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	// From the tables config and config_plugins of the database.
	installed := component.Installed("2024100706", map[string]string{"mod_forum": "2024042200", "mod_hvp": "2023010100"})
	for _, s := range code.Compare(installed) {
		fmt.Println(s.Component, s.Change)
	}

	definitions, _, err := code.Definitions(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	components := code.Components(installed)
	for _, d := range xmldb.Compare(definitions, xmldb.Database{
		Dialect: xmldb.Postgres, Prefix: "mdl_",
		Tables:  []schema.Table{{Name: "hvp_contents"}}, // from the source of the database
		Owner:   func(table string) string { return component.Owner(table, components) },
		Pending: func(name string) string { return code.Pending(name, installed) },
	}) {
		fmt.Printf("%s (%s): %s\n", d.Severity, d.Component, d)
	}
	// Output:
	// mod_forum upgrade
	// mod_hvp missing
	// noted (core): table config is missing
	// included (mod_hvp): table hvp_contents is not defined by any component
}
