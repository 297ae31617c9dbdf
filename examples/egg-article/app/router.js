'use strict';

module.exports = ({ router, controller }) => {
  router.post('/seckill', controller.sale.buy);
  router.get('/result', controller.sale.result);
};
