-- Administrators hear of a harmful file as well: they decide about quarantine.
INSERT INTO routes (event, audience, kind, priority, required)
    VALUES ('media.file.infected', 'role:admin', 'file_infected', 'normal', false)
    ON CONFLICT DO NOTHING;
