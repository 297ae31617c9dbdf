// The configuration of a new Medusa project, with the admin's pages off. Nothing about carts,
// orders and inventory is changed.
const { defineConfig } = require('@medusajs/framework/utils');

module.exports = defineConfig({
    projectConfig: {
        databaseUrl: process.env.DATABASE_URL,
        databaseDriverOptions: { ssl: false, sslmode: 'disable' },
        http: {
            storeCors: process.env.STORE_CORS,
            adminCors: process.env.STORE_CORS,
            authCors: process.env.STORE_CORS,
            jwtSecret: 'supersecret',
            cookieSecret: 'supersecret',
        },
    },
    admin: { disable: true },
});
