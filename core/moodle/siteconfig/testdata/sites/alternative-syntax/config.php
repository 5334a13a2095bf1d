<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

define('ENVIRONMENT', 'production');
const DB_HOST = 'prod.db';
if (ENVIRONMENT == 'dev'):
    $CFG->dbhost = 'dev.db';
elseif (ENVIRONMENT === "production" and defined('DB_HOST')):
    $CFG->dbhost = DB_HOST;
else:
    $CFG->dbhost = 'x';
endif;
foreach (['dbtype' => 'mysqli', 'dbname' => 'moodle', 'dbuser' => 'u', 'dbpass' => 'p', 'prefix' => 'mdl_'] as $key => $value):
    $CFG->$key = $value;
endforeach;
$CFG->dboptions = array_filter(['dbport' => '3306']);
$CFG->dboptions = array();
$CFG->dboptions['dbport'] = 3307;
$CFG->wwwroot = sprintf('%s://%s', 'https', 'moodle.' . 'example.org');
$CFG->dataroot = realpath(__DIR__) . '/../moodledata';
require_once __DIR__ . '/lib/setup.php';
