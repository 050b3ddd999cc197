DELETE FROM routes WHERE event = 'media.file.infected' AND audience = 'role:admin';
