// The world's clock: its ticks by ours, its day, and the same world for the same seed, whatever the rate.
const test = require('node:test')
const assert = require('node:assert')
const { World, pause } = require('./world')
const { realNow } = require('../bot/clock')

// Ticks a second of ours, over half a second; again where a busy machine kept the answer from us.
async function hasRate (world, wanted) {
  const seen = []
  for (let i = 0; i < 10; i++) {
    const [from, at] = [(await world.ask('time')).tick, realNow()]
    await pause(500)
    const [to, end] = [(await world.ask('time')).tick, realNow()]
    seen.push((to - from) / ((end - at) / 1000))
    if (Math.abs(seen.at(-1) / wanted - 1) < 0.1) return
  }
  assert.fail(`${wanted} ticks a second were to be seen, and were ${seen.map(rate => rate.toFixed(1))}`)
}

test('twenty ticks a second, times the rate; the same blocks for a seed at any rate, others for another', async () => {
  const places = Array.from({ length: 300 }, (_, i) => ({ do: 'block', x: (i * 37) % 200 - 100, y: (i * 13) % 130 - 50, z: (i * 71) % 200 - 100 }))
  const worlds = [await World.start({ seed: 5 }), await World.start({ seed: 5, clock: 10 }), await World.start({ seed: 6 })]
  const [first, second, other] = await Promise.all(worlds.map(async world => JSON.stringify((await world.ask('all', { orders: places })).answers)))
  await hasRate(worlds[0], 20)
  await hasRate(worlds[1], 200)
  for (const world of worlds) await world.stop()
  assert.equal(first, second)
  assert.notEqual(first, other)
})
