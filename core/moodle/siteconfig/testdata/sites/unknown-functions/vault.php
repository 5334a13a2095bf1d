<?php
class SecretManager {
    private static array $cache = [];
    public static function get(string $name): string {
        return self::$cache[$name] ??= trim(shell_exec('secret ' . escapeshellarg($name)));
    }
}
