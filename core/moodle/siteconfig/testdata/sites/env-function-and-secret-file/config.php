<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

function env(string $name, ?string $default = null): ?string {
    $file = $name == 'DBPASS' ? __DIR__ . '/secrets/dbpass' : getenv($name . '_FILE');
    if ($file !== false && is_readable($file)) {
        return trim(file_get_contents($file));
    }
    $value = getenv($name);
    return $value === false ? $default : $value;
}
$CFG->dbtype = env('DBTYPE', 'pgsql');
$CFG->dbhost = env('DBHOST', 'db');
$CFG->dbname = env('DBNAME', 'moodle');
$CFG->dbuser = env('DBUSER', 'moodle');
$CFG->dbpass = env('DBPASS');
$CFG->wwwroot = env('WWWROOT', 'http://localhost');
$CFG->dataroot = env('DATAROOT', '/srv/data');
require_once __DIR__ . '/lib/setup.php';
