<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

require_once(__DIR__ . '/vault.php');
$secrets = json_decode(file_get_contents('/run/secrets/moodle.json'));
$CFG->dbtype = 'mysqli';
$CFG->dbhost = 'db';
$CFG->dbname = 'moodle_' . intdiv(7, 2);
$CFG->dbuser = $secrets->user;
$CFG->dbpass = SecretManager::get('moodle/dbpass');
$CFG->dboptions = ['dbport' => (int) $secrets->port];
$CFG->wwwroot = 'http://localhost';
$CFG->dataroot = '/data/' . gethostname();
require_once(__DIR__ . '/lib/setup.php');
