<?php return [
  'host' => 'from-array',
  'name' => 'arr',
];
