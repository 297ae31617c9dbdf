'use strict';

const { Controller } = require('egg');

module.exports = class SaleController extends Controller {
  // POST /seckill {"uid": …}: success means that the purchase is queued.
  async buy() {
    const { ctx } = this;
    await ctx.service.queue.send({ uid: ctx.request.body.uid });
    ctx.body = { success: true };
  }

  // GET /result: units left, and who has bought one.
  async result() {
    this.ctx.body = await this.ctx.service.stock.result();
  }
};
