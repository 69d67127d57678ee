// The world's clock: its ticks by ours, its day, and the same world for the same seed, whatever the rate.
const test = require('node:test')
const assert = require('node:assert')
const { World, pause } = require('./world')
const { realNow, Pace } = require('../bot/clock')

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

test('a bot\'s clock goes no faster than the ticks that it hears of, and leaps over none of its own time', async () => {
  const pace = new Pace(10)
  const beats = async ms => { for (const end = realNow() + ms; realNow() < end;) { await pause(1); pace.beat() } }
  await beats(100)
  assert.ok(pace.elapsed() > 500 && pace.elapsed() < 1300, `${pace.elapsed()}`)
  const begun = pace.elapsed()
  let tick = 1000
  pace.heard(tick)
  for (; tick < 1060; tick += 6) { await beats(60); pace.heard(tick) } // 300 ms of the world in 60 of ours: at half the rate
  assert.ok(pace.elapsed() - begun < 60 * 50 + 1500 + 1, `${pace.elapsed() - begun}`)
  assert.ok(pace.pace < 8, `${pace.pace}`)
  await beats(1000) // it stands: at most so far ahead
  assert.ok(pace.elapsed() - begun <= 60 * 50 + 1500 + 1, `${pace.elapsed() - begun}`)
  const stood = pace.elapsed()
  pace.heard(tick + 400) // 20 s of the world at once, of which the bot had nothing
  await beats(1000) // and again it stands: no deadline of 5 s has come
  assert.ok(pace.elapsed() - stood <= 500 + 1500 + 1, `${pace.elapsed() - stood}`)
  const other = new Pace(10)
  await pause(300) // nothing of it was seen: 3 s would have passed
  assert.ok(other.elapsed() <= 200)
})
