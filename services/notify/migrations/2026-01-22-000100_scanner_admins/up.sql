-- Administrators hear that a scanner is away, and files wait for it, or that it is back.
INSERT INTO routes (event, audience, kind, priority, required)
    VALUES ('media.scanner.changed', 'role:admin', 'scanner_changed', 'high', false)
    ON CONFLICT DO NOTHING;
INSERT INTO role_defaults (role, kind, channel, enabled)
    VALUES ('admin', 'scanner_changed', 'email', true)
    ON CONFLICT DO NOTHING;
