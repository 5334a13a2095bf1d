<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype = 'mariadb';
$CFG->dbhost = 'db.internal:3310';
$CFG->dbuser = 'moodle';
$site = preg_replace('/[^a-z0-9.-]/', '', strtolower($_SERVER['HTTP_HOST']));
$site = strtolower(rtrim($_SERVER['HTTP_HOST'], '.'));
$file = __DIR__ . '/sites/' . $site . '.php';
if (!is_file($file)) {
    die('unknown site');
}
require $file;
$CFG->wwwroot = "https://$site";
$CFG->dataroot = '/srv/' . $site;
require_once(__DIR__ . '/lib/setup.php');
