<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype    = 'mariadb';
$CFG->dblibrary = 'native';
$CFG->dbhost    = '127.0.0.1';
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

date_default_timezone_set('Europe/Berlin');
ini_set('memory_limit', '512M');
@error_reporting(E_ALL);
$start = microtime(true);
$CFG->upgradekey = bin2hex(random_bytes(8));
class my_config_helper { public function apply($x) { return "}"; } }
$CFG->alternative_file_system_class = '\\tool_objectfs\\s3_file_system';
if (!empty($_GET['debug'])) { $CFG->debugdisplay = 1; }
if (is_dir('/opt/moosh')) { $CFG->moosh = true; } else { $CFG->moosh = false; }
# a comment of the third kind
/* and $CFG->dbname = 'not this'; */
require_once(__DIR__ . '/lib/setup.php');

// There is no php closing tag in this file,
// it is intentional because it prevents trailing whitespace problems!
