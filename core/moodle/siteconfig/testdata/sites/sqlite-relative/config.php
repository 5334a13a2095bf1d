<?php
unset($CFG);
global $CFG;
$CFG = new stdClass();
$CFG->dbtype = 'sqlite3';
$CFG->dboptions = ['file' => 'site.sqlite'];
$CFG->prefix = 'mdl_';
$CFG->wwwroot = 'https://demo.example.org';
$CFG->dataroot = dirname(__DIR__) . '/moodledata';
require_once(__DIR__ . '/lib/setup.php');
