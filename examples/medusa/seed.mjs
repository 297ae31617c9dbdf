// Asks the shop's admin API for one product with its stock, a region and a publishable key, and
// prints their ids as assignments of the shell.
const base = process.env.SHOP_URL;
const headers = { 'content-type': 'application/json' };

async function ask(path, body) {
    const method = body ? 'POST' : 'GET';
    const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer;
}

const [email, password] = process.argv.slice(2);
const { token } = await ask('/auth/user/emailpass', { email, password });
headers.authorization = `Bearer ${token}`;

const { sales_channel: channel } = await ask('/admin/sales-channels', { name: 'Web' });
const { region } = await ask('/admin/regions', {
    name: 'Europe', currency_code: 'eur', countries: ['at'], payment_providers: ['pp_system_default'],
});
const { stock_location: location } = await ask('/admin/stock-locations', { name: 'Warehouse' });
await ask(`/admin/stock-locations/${location.id}/sales-channels`, { add: [channel.id] });
const { product } = await ask('/admin/products', {
    title: 'Phone',
    status: 'published',
    sales_channels: [{ id: channel.id }],
    options: [{ title: 'Colour', values: ['Black'] }],
    variants: [{
        title: 'Black', sku: 'PHONE', manage_inventory: true, options: { Colour: 'Black' },
        prices: [{ currency_code: 'eur', amount: 499 }],
    }],
});
const { inventory_items: [item] } = await ask('/admin/inventory-items?sku=PHONE');
await ask(`/admin/inventory-items/${item.id}`, { requires_shipping: false });
await ask(`/admin/inventory-items/${item.id}/location-levels`, {
    location_id: location.id, stocked_quantity: Number(process.env.SHOP_STOCK),
});
const { api_key: key } = await ask('/admin/api-keys', { title: 'Web', type: 'publishable' });
await ask(`/admin/api-keys/${key.id}/sales-channels`, { add: [channel.id] });

console.log(`MEDUSA_KEY=${key.token}`);
console.log(`MEDUSA_REGION=${region.id}`);
console.log(`MEDUSA_VARIANT=${product.variants[0].id}`);
