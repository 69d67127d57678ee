// The world's clock: its ticks by ours, its day, and the same world for the same seed, whatever the rate.
const test = require('node:test')
const assert = require('node:assert')
const { World, pause } = require('./world')
const { realNow } = require('../bot/clock')

// Ticks a second of ours, over half a second.
async function rateOf (world) {
  const [from, at] = [(await world.ask('time')).tick, realNow()]
  await pause(500)
  const [to, end] = [(await world.ask('time')).tick, realNow()]
  return (to - from) / ((end - at) / 1000)
}

test('twenty ticks a second, times the rate', async () => {
  const world = await World.start({ seed: 3 })
  const rate = await rateOf(world)
  await world.stop()
  assert.ok(rate > 16 && rate < 24, `${rate}`)
  const fast = await World.start({ seed: 3, clock: 10 })
  const fastRate = await rateOf(fast)
  await fast.stop()
  assert.ok(fastRate > 160 && fastRate < 240, `${fastRate}`)
})

test('two servers of one seed have the same blocks, whatever their clocks, and another seed has others', async () => {
  const places = Array.from({ length: 300 }, (_, i) => ({ do: 'block', x: (i * 37) % 200 - 100, y: (i * 13) % 130 - 50, z: (i * 71) % 200 - 100 }))
  const worlds = [await World.start({ seed: 5 }), await World.start({ seed: 5, clock: 10 }), await World.start({ seed: 6 })]
  const [first, second, other] = await Promise.all(worlds.map(async world => JSON.stringify((await world.ask('all', { orders: places })).answers)))
  for (const world of worlds) await world.stop()
  assert.equal(first, second)
  assert.notEqual(first, other)
})
