<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype    = 'mariadb';
$CFG->dblibrary = 'native';
$CFG->dbhost    = 'localhost';
$CFG->dbname    = 'moodle';
$CFG->dbuser    = 'moodleuser';
$CFG->dbpass    = 'secret';
$CFG->prefix    = 'mdl_';
$CFG->dboptions = array (
  'dbpersist' => 0,
  'dbport' => '',
  'dbsocket' => '',
  'dbcollation' => 'utf8mb4_unicode_ci',
);

$CFG->wwwroot   = 'https://moodle.example.org';
$CFG->dataroot  = '/var/moodledata';
$CFG->admin     = 'admin';

$CFG->directorypermissions = 02777;

if (php_sapi_name() === 'cli' || (defined('CLI_SCRIPT') && CLI_SCRIPT)) {
    $CFG->tempdir = '/tmp/cli';
    $CFG->dbsessions = false;
} else {
    $CFG->tempdir = '/tmp/web';
    $CFG->dbsessions = false;
}
if (PHP_SAPI == 'cli') $CFG->debug = 0;
if (defined('PHPUNIT_TEST') && PHPUNIT_TEST) {
    $CFG->dbname = 'phpunit';
}
require_once(__DIR__ . '/lib/setup.php');

// There is no php closing tag in this file,
// it is intentional because it prevents trailing whitespace problems!
