// The configuration of Vendure's own guide for a new project, less what a flash sale does not
// touch (dashboard, e-mail, assets). Nothing about orders and stock is changed.
const {
    DefaultJobQueuePlugin, DefaultSearchPlugin, dummyPaymentHandler,
} = require('@vendure/core');

exports.config = {
    apiOptions: {
        hostname: '127.0.0.1',
        port: Number(process.env.SHOP_PORT),
        adminApiPath: 'admin-api',
        shopApiPath: 'shop-api',
    },
    authOptions: {
        tokenMethod: ['bearer', 'cookie'],
        superadminCredentials: { identifier: 'superadmin', password: 'superadmin' },
        cookieOptions: { secret: 'a-secret-of-a-throw-away-shop' },
    },
    dbConnectionOptions: {
        type: 'postgres',
        url: process.env.SHOP_DB,
        synchronize: true,
        logging: false,
    },
    paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
    plugins: [
        DefaultJobQueuePlugin.init({ useDatabaseForBuffer: true }),
        DefaultSearchPlugin.init({ bufferUpdates: false, indexStockStatus: true }),
    ],
};
