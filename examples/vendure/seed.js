// Fills an empty database with one product, one way of shipping and the dummy payment, by the
// function that Vendure has for that.
const { bootstrap, defaultConfig, mergeConfig } = require('@vendure/core');
const { populate } = require('@vendure/core/cli');
const fs = require('node:fs');
const { config } = require('./vendure-config');

const initialData = {
    defaultLanguage: 'en',
    defaultZone: 'Europe',
    countries: [{ name: 'Austria', code: 'AT', zone: 'Europe' }],
    taxRates: [{ name: 'Standard Tax', percentage: 20 }],
    shippingMethods: [{ name: 'Standard Shipping', price: 500 }],
    paymentMethods: [{
        name: 'Dummy Payment',
        handler: {
            code: 'dummy-payment-handler',
            arguments: [{ name: 'automaticSettle', value: 'true' }],
        },
    }],
    collections: [],
};
const header = 'name,slug,description,assets,facets,optionGroups,optionValues,sku,price,'
    + 'taxCategory,stockOnHand,trackInventory,variantAssets,variantFacets';
const phone = `Phone,phone,A phone,,,,,PHONE,499.00,standard,${process.env.SHOP_STOCK},true,,`;
const csv = `${process.env.SHOP_SCRATCH}/products.csv`;
fs.writeFileSync(csv, `${header}\n${phone}\n`);

populate(() => bootstrap(mergeConfig(defaultConfig, config)), initialData, csv)
    .then(app => app.close())
    .then(() => process.exit(0), error => { console.error(error); process.exit(1); });
