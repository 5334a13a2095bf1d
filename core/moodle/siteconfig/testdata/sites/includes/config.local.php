<?php
defined('MOODLE_INTERNAL') || define('LOCAL', true);
$CFG->dbpass = 'local';
$CFG->dboptions['dbport'] = 3399;
return true;
