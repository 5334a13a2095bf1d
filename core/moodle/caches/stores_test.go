package caches_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/lmsvault/vault/core/moodle/caches"
)

const configuration = `<?php defined('MOODLE_INTERNAL') || die();
 $configuration = array (
  'siteidentifier' => '8d5e957f297893487bd98fa830fa6413',
  'stores' =>
  array (
    'default_application' =>
    array ('name' => 'default_application', 'plugin' => 'file', 'configuration' => array (), 'features' => 30, 'modes' => 3, 'default' => true, 'class' => 'cachestore_file', 'lock' => 'cachelock_file_default'),
    'Fast disk' => array ('name' => 'Fast disk', 'plugin' => 'file', 'configuration' => array ('path' => '/srv/fast', 'autocreate' => '1')),
    'sessions' => array ('plugin' => 'redis', 'configuration' => array ('server' => '10.0.0.5:6379', 'prefix' => 'mdl_', 'password' => 'hidden')),
    'mem' => array ('plugin' => 'memcached', 'configuration' => array ('servers' => array (0 => array (0 => 'one', 1 => '11211'), 1 => array (0 => 'two')))),
  ),
  'modemappings' => array (),
);
`

func TestStoresOfMUC(t *testing.T) {
	file := filepath.Join(t.TempDir(), "it's/config.php")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := caches.Stores(t.Context(), file)
	want := []caches.Store{
		{Name: "Fast disk", Plugin: "file", Path: "/srv/fast"}, {Name: "default_application", Plugin: "file"},
		{Name: "mem", Plugin: "memcached", Server: "one:11211, two"}, {Name: "sessions", Plugin: "redis", Server: "10.0.0.5:6379", Prefix: "mdl_"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := caches.Stores(t.Context(), file+".missing"); err != nil || got != nil {
		t.Errorf("a missing file: %v, %v", got, err)
	}
	for _, text := range []string{"", "<?php", "<?php $configuration = unknown();", "<?php $configuration = ['stores' => 1", "<?php $configuration = ['stores' => 'x'];"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := caches.Stores(t.Context(), file); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}
