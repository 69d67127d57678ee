// Creatures and fluids over the real protocol.
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
test.beforeEach(async () => {
  await arena.reset()
  await world.ask('time', { time: 6000 })
})

const wall = () => world.ask('all', {
  orders: [[-5, -5, 5, -5], [-5, 5, 5, 5], [-5, -5, -5, 5], [5, -5, 5, 5]]
    .map(([x, z, toX, toZ]) => ({ do: 'fill', from: [x, 201, z], to: [toX, 203, toZ], block: 'stone' }))
})
const spawn = async (mob, x, z) => {
  const { id } = await world.ask('mob', { mob, x: x + 0.5, y: 201, z: z + 0.5 })
  while (!bot.entities[id]) await pause(5)
  return bot.entities[id]
}

test('a cow is struck dead in some blows, and leaves beef', async () => {
  await wall()
  const cow = await spawn('cow', 2, 0)
  assert.equal(cow.name, 'cow')
  await arena.hold('iron_sword')
  let blows = 0
  while (bot.entities[cow.id] && blows < 30) {
    const { mobs: [{ x, z }] } = await world.ask('mobs')
    if (Math.hypot(x - bot.entity.position.x, z - bot.entity.position.z) > 3) await world.ask('teleport', { player: 'bot', x: x - 1, y: 201, z })
    bot.attack(bot.entities[cow.id])
    blows++
    await world.ticks(20)
    if ((await world.ask('mobs')).mobs.length === 0) break
  }
  assert.equal(blows, 2) // 10 of health, 6 a blow
  await world.ticks(5)
  const { drops } = await world.ask('drops')
  const { slots } = await world.ask('player', { player: 'bot' })
  assert.ok([...drops, ...slots].some(({ item }) => item === 'beef'))
  assert.equal(slots.find(({ item }) => item === 'iron_sword').used, 2)
})

test('nobody strikes from afar', async () => {
  const cow = await spawn('cow', 10, 0)
  bot._client.write('use_entity', { target: cow.id, mouse: 1, sneaking: false })
  await world.ticks(5)
  assert.equal((await world.ask('mobs')).mobs[0].health, 10)
})

test('a zombie comes and hurts, and wears armour out; a zombie in the sun burns', async () => {
  await wall()
  await world.ask('time', { time: 18000 })
  // Too little food to heal, and more lives than a zombie takes while a busy machine keeps us from looking.
  const whole = { player: 'bot', food: 10, health: 10000 }
  await world.ask('change', whole)
  await spawn('zombie', 4, 0)
  await world.until(({ health }) => health < 10000)
  const armour = [[5, 'iron_helmet'], [6, 'iron_chestplate'], [7, 'iron_leggings'], [8, 'iron_boots']].map(([slot, item]) => ({ do: 'give', player: 'bot', item, slot }))
  await world.ask('all', { orders: [...armour, { do: 'change', ...whole }] })
  await world.until(({ health, slots }) => health < 10000 && slots.filter(({ used }) => used > 0).length === 4)
  await world.ask('time', { time: 6000 })
  for (let i = 0; i < 3000 && (await world.ask('mobs')).mobs.length > 0; i++) await pause(10)
  assert.equal((await world.ask('mobs')).mobs.length, 0)
  await world.ask('change', { player: 'bot', health: 20 })
})

test('armour takes a part of a blow, a stronger blow less of it', () => {
  const { afterArmour, armourPoints } = require('../rules/combat')
  const iron = ['iron_helmet', 'iron_chestplate', 'iron_leggings', 'iron_boots'].map(armourPoints)
  assert.deepEqual(iron, [2, 6, 5, 2])
  assert.equal(afterArmour(3, 0), 3)
  assert.ok(Math.abs(afterArmour(3, 15) - 1.38) < 1e-9)
  assert.ok(afterArmour(20, 15) / 20 > afterArmour(3, 15) / 3)
})

test('in peace there are no monsters', async () => {
  await world.ask('time', { time: 18000 })
  await spawn('creeper', 4, 0)
  await world.ask('difficulty', { difficulty: 'peaceful' })
  await world.ticks(3)
  assert.equal((await world.ask('mobs')).mobs.length, 0)
  await world.ask('difficulty', { difficulty: 'normal' })
})

test('monsters come by themselves at night, animals are there by day', async () => {
  await world.ask('rule', { rule: 'doMobSpawning', value: true })
  await world.ask('change', { player: 'bot', health: 20 })
  await world.ask('fill', { from: [-2, 201, -2], to: [2, 204, 2], block: 'glass' })
  await world.ask('fill', { from: [-1, 201, -1], to: [1, 203, 1], block: 'air' })
  for (let i = 0; i < 500 && !(await world.ask('mobs')).mobs.some(({ name }) => ['cow', 'sheep', 'pig', 'chicken'].includes(name)); i++) await pause(10)
  assert.ok((await world.ask('mobs')).mobs.some(({ name }) => ['cow', 'sheep', 'pig', 'chicken'].includes(name)))
  assert.ok(!(await world.ask('mobs')).mobs.some(({ name, y }) => ['zombie', 'skeleton', 'spider', 'creeper'].includes(name) && y > 150))
  // A wide floor for them to come to.
  await world.ask('fill', { from: [-40, 200, -40], to: [40, 200, 40], block: 'stone' })
  await world.ask('time', { time: 14000 })
  for (let i = 0; i < 3000 && !(await world.ask('mobs')).mobs.some(({ y }) => y > 150); i++) await pause(10)
  assert.ok((await world.ask('mobs')).mobs.some(({ name, y }) => ['zombie', 'skeleton', 'spider', 'creeper'].includes(name) && y > 150))
  await world.ask('rule', { rule: 'doMobSpawning', value: false })
})

test('water flows seven blocks, falls, and dries up when its source is gone', async () => {
  await world.ask('fill', { from: [-12, 201, 5], to: [12, 201, 5], block: 'stone' })
  await world.ask('fill', { from: [-12, 201, 7], to: [12, 201, 7], block: 'stone' })
  const at = async x => (await world.ask('block', { x, y: 201, z: 6 }))
  await world.ask('set', { x: 0, y: 201, z: 6, block: 'water' })
  for (let i = 0; i < 500 && (await at(7)).block !== 'water'; i++) await pause(10)
  await world.ticks(20)
  assert.deepEqual([(await at(7)).properties.level, (await at(8)).block], [7, 'air'])
  await arena.seen(7, 201, 6, name => name === 'water')
  await world.ask('set', { x: 0, y: 201, z: 6, block: 'air' })
  for (let i = 0; i < 500 && (await at(7)).block !== 'air'; i++) await pause(10)
  await world.ticks(60)
  for (const x of [-7, -1, 0, 1, 7]) assert.equal((await at(x)).block, 'air')
})

test('two sources make a third between them', async () => {
  await world.ask('fill', { from: [3, 200, 3], to: [5, 200, 3], block: 'water' })
  await world.ask('fill', { from: [3, 199, 3], to: [5, 199, 3], block: 'stone' })
  await world.ask('set', { x: 4, y: 200, z: 3, block: 'air' })
  for (let i = 0; i < 500 && (await world.ask('block', { x: 4, y: 200, z: 3 })).properties.level !== 0; i++) await pause(10)
  assert.deepEqual(await world.ask('block', { x: 4, y: 200, z: 3 }), { block: 'water', properties: { level: 0 } })
})
