DROP INDEX people_roles;
DROP TABLE jobs;
DROP TABLE role_defaults;
DROP TABLE routes;
DROP TABLE template_versions;
DROP TABLE templates;
