DELETE FROM role_defaults WHERE kind = 'scanner_changed';
DELETE FROM routes WHERE event = 'media.scanner.changed' AND audience = 'role:admin';
