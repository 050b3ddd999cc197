/** The services with a database, and their schemas in it. */
export const SCHEMAS = ['identity', 'notify', 'orders', 'media', 'chat'];
