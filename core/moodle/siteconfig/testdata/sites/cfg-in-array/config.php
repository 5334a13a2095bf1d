<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$settings = ['dbtype' => 'mysqli', 'dbhost' => 'db', 'dbname' => 'm', 'dbuser' => 'u', 'dbpass' => 'p', 'dataroot' => '/d', 'wwwroot' => 'http://h'];
$CFG = (object) array_merge((array) $settings, ['prefix' => 'x_']);
require_once __DIR__ . '/lib/setup.php';
