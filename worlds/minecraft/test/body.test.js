// A player's body over the real protocol: hunger, falls, water, fire, death, sleep, and coming back.
const test = require('node:test')
const assert = require('node:assert')
const { World, pause } = require('./world')
const { Arena } = require('./arena')

let world, bot, arena
test.before(async () => {
  world = await World.start({ seed: 3, clock: 10, difficulty: 'normal' })
  bot = await world.join()
  arena = await Arena.build(world, bot)
})
test.after(() => world.stop())
test.beforeEach(() => arena.reset())

const state = () => world.ask('player', { player: 'bot' })
const fallFrom = async height => {
  await world.ask('teleport', { player: 'bot', x: 0.5, y: 201 + height, z: 0.5 })
  await world.until(({ onGround, y }) => onGround && y < 201.1)
  return (await state()).health
}

test('a fall hurts by what it is beyond three blocks, and not into water', async () => {
  await world.ask('change', { player: 'bot', food: 10 }) // too little to heal
  assert.equal(await fallFrom(2.9), 20)
  assert.equal(await fallFrom(8), 15)
  await world.ask('change', { player: 'bot', health: 20 })
  await world.ask('fill', { from: [-3, 201, -3], to: [3, 202, 3], block: 'water' })
  await world.ask('teleport', { player: 'bot', x: 0.5, y: 215, z: 0.5 })
  await world.until(({ y }) => y < 203)
  await world.ticks(20)
  assert.equal((await state()).health, 20)
})

test('running makes hungry, a meal takes its time and fills', async () => {
  await arena.stand(-10, 0)
  await bot.lookAt(arena.at(10, 1.6, 0), true)
  bot.setControlState('sprint', true)
  bot.setControlState('forward', true)
  await world.until(({ x }) => x > 5)
  bot.clearControlStates()
  const ran = await state()
  assert.ok(ran.exhaustion > 1 && ran.exhaustion < 3, `${ran.exhaustion}`)
  await world.ask('change', { player: 'bot', food: 10, saturation: 0 })
  await arena.hold('bread')
  const { tick } = await world.ask('time')
  await bot.consume()
  assert.ok((await world.ask('time')).tick - tick >= 32)
  const fed = await state()
  assert.equal(fed.food, 15)
  assert.equal(fed.saturation, 6)
  assert.equal(await arena.has('bread'), 0)
  assert.equal(bot.food, 15)
})

test('hunger starves, a full belly heals', async () => {
  await world.ask('change', { player: 'bot', food: 0, saturation: 0, health: 3 })
  await world.until(({ health }) => health === 1)
  await world.ticks(200)
  assert.equal((await state()).health, 1) // normal difficulty stops there
  await world.ask('change', { player: 'bot', food: 20, saturation: 10, health: 10 })
  await world.until(({ health }) => health > 12)
})

test('breath ends under water, and hurts then', async () => {
  await world.ask('fill', { from: [-2, 201, -2], to: [2, 204, 2], block: 'glass' })
  await world.ask('fill', { from: [-1, 201, -1], to: [1, 203, 1], block: 'water' })
  await world.ask('change', { player: 'bot', air: 20 })
  await world.until(({ health }) => health < 20)
  assert.ok((await state()).air <= 0)
})

test('lava burns, and water puts the fire out', async () => {
  await world.ask('change', { player: 'bot', food: 10 }) // too little to heal
  await world.ask('fill', { from: [-2, 201, -2], to: [2, 202, 2], block: 'glass' })
  await world.ask('fill', { from: [-1, 201, -1], to: [1, 202, 1], block: 'air' })
  await world.ask('fill', { from: [-1, 201, -1], to: [1, 201, 1], block: 'lava' })
  await world.until(({ health }) => health <= 16)
  await world.ask('fill', { from: [-1, 201, -1], to: [1, 201, 1], block: 'air' })
  const burnt = (await state()).health
  await world.until(({ health }) => health < burnt)
  await world.ask('fill', { from: [-1, 201, -1], to: [1, 201, 1], block: 'water' })
  await world.ticks(5)
  const { health } = await state()
  await world.ticks(60)
  assert.equal((await state()).health, health)
})

test('death drops what one had, and the bot lives again at the start', async () => {
  await arena.give('diamond', 3)
  const spawned = new Promise(resolve => bot.once('spawn', resolve))
  const died = new Promise(resolve => bot.once('death', resolve))
  await world.ask('hurt', { player: 'bot', damage: 50 })
  await died
  await spawned
  const after = await state()
  assert.equal(after.health, 20)
  assert.ok(after.y < 120, `${after.y}`)
  assert.deepEqual(after.slots, [])
  assert.ok((await world.ask('drops')).drops.some(({ item, count }) => item === 'diamond' && count === 3))
  assert.equal(bot.inventory.items().length, 0)
  // It moves again: a dead bot's clock stands still, and so would one that was not brought back.
  await bot.waitForTicks(5)
  await world.until(({ onGround }) => onGround)
})

test('a bot that is gone comes back where it was, with what it had', async () => {
  await arena.give('stone_pickaxe', 1, { used: 7 })
  await arena.give('oak_log', 5)
  await world.ask('change', { player: 'bot', health: 13, food: 9, saturation: 0 })
  await arena.stand(4, -3)
  const before = await state()
  bot._client.socket.resetAndDestroy() // as a process that is killed: no goodbye
  await world.until(({ connected }) => !connected)
  bot = await world.join()
  arena.bot = bot
  const after = await state()
  assert.deepEqual({ ...after, air: 0, onGround: true }, { ...before, air: 0, onGround: true })
  assert.ok(bot.entity.position.distanceTo(arena.at(4, 1, -3).offset(0.5, 0, 0.5)) < 0.3)
  assert.equal(bot.health, 13)
  assert.equal(bot.inventory.count(bot.registry.itemsByName.oak_log.id, null), 5)
  assert.equal(bot.inventory.items().find(({ name }) => name === 'stone_pickaxe').durabilityUsed, 7)
})

test('a second bot of the same name is sent away while the first is there', async () => {
  await assert.rejects(world.join('bot'), /connected already/)
  assert.equal((await state()).connected, true)
})

test('a bed: not by day, the morning at night, and home after death', async () => {
  await arena.hold('white_bed')
  await bot.lookAt(arena.at(0, 0, 3), true)
  const { Vec3 } = require('vec3')
  await bot.placeBlock(bot.blockAt(arena.at(0, 0, 2)), new Vec3(0, 1, 0))
  await world.ask('time', { time: 14000 })
  while (!(bot.time.timeOfDay > 13000)) await pause(5)
  const woken = new Promise(resolve => bot.once('wake', resolve))
  await bot.sleep(bot.blockAt(arena.at(0, 1, 2)))
  assert.equal((await state()).sleeping, true)
  await woken
  const { time } = await world.ask('time')
  assert.ok(time >= 24000 && time < 24200, `${time}`)
  const spawned = new Promise(resolve => bot.once('spawn', resolve))
  await world.ask('hurt', { player: 'bot', damage: 50 })
  await spawned
  const { x, y, z } = await state()
  assert.ok(Math.hypot(x - 0.5, y - 201, z - 3) < 3, `${x} ${y} ${z}`)
})

test('a bucket takes water up and pours it out; where it meets lava there is obsidian', async () => {
  await world.ask('fill', { from: [1, 201, -2], to: [3, 201, 2], block: 'stone' })
  await world.ask('fill', { from: [2, 201, -1], to: [2, 201, 1], block: 'water' })
  await arena.stand(1, 0).catch(() => {})
  await world.ask('teleport', { player: 'bot', x: 1.5, y: 202, z: 0.5 })
  await arena.hold('bucket')
  await bot.lookAt(arena.at(2, 1, 0).offset(0.5, 0.9, 0.5), true)
  await world.ticks(2)
  bot.activateItem()
  await world.until(({ slots }) => slots.some(({ item }) => item === 'water_bucket'))
  await world.ask('fill', { from: [2, 201, -1], to: [2, 201, 1], block: 'stone' })
  await world.ask('set', { x: -2, y: 200, z: 0, block: 'lava' })
  await world.ask('set', { x: -2, y: 199, z: 0, block: 'stone' })
  await arena.stand(-1, 0)
  await bot.lookAt(arena.at(-1, 0, 1).offset(0.5, 1, 0.5), true)
  await world.ticks(2)
  bot.activateItem()
  await world.until(({ slots }) => slots.some(({ item }) => item === 'bucket'))
  for (let i = 0; i < 200 && (await world.ask('block', { x: -2, y: 200, z: 0 })).block === 'lava'; i++) await pause(10)
  assert.equal((await world.ask('block', { x: -2, y: 200, z: 0 })).block, 'obsidian')
})
