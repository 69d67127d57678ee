// All of a world as JSON, such that it goes on from there: what was changed of it, what lies and lives in it, its
// players. Columns are not in it, since the seed makes them again.
const { Vec3 } = require('vec3')
const { Survivor } = require('./player/survivor')

const FORMAT = 2
const playerFields = ['held', 'yaw', 'pitch', 'health', 'food', 'saturation', 'exhaustion', 'air', 'burning', 'onGround', 'sparedUntil', 'lastBlow']
const mobFields = ['health', 'burning', 'fleeing', 'fuse', 'struckAt', 'hitAt', 'heading', 'shornAt', 'bredAt', 'yaw', 'onGround', 'bumped']
const furnaceFields = ['kind', 'x', 'y', 'z', 'burning', 'burnsFor', 'cooked']

class SavedError extends Error {}

const picked = (from, names) => Object.fromEntries(names.map(name => [name, from[name]]))
const listOf = vector => vector && [vector.x, vector.y, vector.z]
const vectorOf = list => list && new Vec3(...list)
const saveItem = item => item && { name: item.name, count: item.count, nbt: item.nbt ?? undefined }
const saveSlots = slots => slots.items.flatMap((item, i) => item ? [[i, saveItem(item)]] : [])
const saveBody = body => ({ number: body.number, name: body.name, position: listOf(body.position), velocity: listOf(body.velocity), born: body.born })

function save (game) {
  // What lies in a grid or at a cursor belongs to whoever has it open.
  for (const survivor of game.connected()) game.windows.shut(survivor)
  return {
    format: FORMAT,
    seed: game.seed,
    tick: game.tick,
    time: game.daylight.time,
    difficulty: game.difficulty,
    rules: { ...game.rules },
    spawned: game.bodies.spawned,
    visited: [...game.spawning.visited],
    edits: [...game.blocks.edits].map(([column, edits]) => [column, [...edits]]),
    changed: game.supports.pending,
    flowing: [...game.fluids.due],
    furnaces: [...game.furnaces.all.values()].map(furnace => ({ ...picked(furnace, furnaceFields), slots: saveSlots(furnace.slots) })),
    chests: [...game.chests.all].map(([place, slots]) => [place, saveSlots(slots)]),
    drops: game.drops.all.filter(({ stack }) => stack.count > 0).map(drop => ({ ...saveBody(drop), free: drop.free, item: saveItem(drop.stack) })),
    mobs: game.mobs.all.map(mob => ({ ...saveBody(mob), ...picked(mob, mobFields) })),
    players: [...game.survivors.values()].map(survivor => ({
      name: survivor.name, position: listOf(survivor.position), home: listOf(survivor.home), ...picked(survivor, playerFields), slots: saveSlots(survivor.slots), deeds: [...survivor.deeds], had: [...survivor.had]
    }))
  }
}

function restoreItem (game, { name, count, nbt }) {
  const kind = game.registry.itemsByName[name]
  if (!kind) throw new SavedError(`${name}: no such item`)
  return new game.Item(kind.id, count, null, nbt)
}

function restoreSlots (game, slots, saved) {
  for (const [i, item] of saved) slots.set(i, restoreItem(game, item))
}

function restoreBody (game, type, saved, more) {
  const body = game.bodies.spawn(type, type === 'object' ? 'item' : saved.name, vectorOf(saved.position), { ...more, velocity: vectorOf(saved.velocity) })
  return Object.assign(body, { number: saved.number, born: saved.born })
}

// Everybody who is connected is sent away, and finds the world as it was then on coming back. Throws SavedError, before
// anything is changed, where it is of another kind or seed.
function restore (game, saved) {
  if (saved?.format !== FORMAT) throw new SavedError(`saved in format ${saved?.format}, and ${FORMAT} is read here`)
  if (saved.seed !== game.seed) throw new SavedError('saved from a world of another seed')
  for (const { player } of game.connected()) {
    game.connections.left(player)
    player.kick('the world was put back')
  }
  for (const body of [...game.drops.all, ...game.mobs.all]) game.bodies.remove(body)
  game.serv.overworld.columns = {}
  Object.assign(game, { tick: saved.tick, difficulty: saved.difficulty, rules: { ...saved.rules } })
  game.daylight.time = saved.time
  game.spawning.visited = new Set(saved.visited)
  game.blocks.edits = new Map(saved.edits.map(([column, edits]) => [column, new Map(edits)]))
  game.supports.pending = saved.changed
  game.fluids.due = new Map(saved.flowing)
  game.furnaces.all.clear()
  for (const furnace of saved.furnaces) {
    const made = game.furnaces.at(furnace.kind, furnace.x, furnace.y, furnace.z)
    Object.assign(made, picked(furnace, furnaceFields))
    restoreSlots(game, made.slots, furnace.slots)
  }
  game.chests.all.clear()
  for (const [place, slots] of saved.chests) restoreSlots(game, game.chests.single(...place.split(',').map(Number)), slots)
  game.drops.all = saved.drops.map(drop => restoreBody(game, 'object', drop, { free: drop.free, ...game.drops.lookOf(restoreItem(game, drop.item)) }))
  game.mobs.all = saved.mobs.map(mob => restoreBody(game, 'mob', mob, { kind: game.mobs.kindOf(mob.name), ...picked(mob, mobFields) }))
  game.bodies.spawned = saved.spawned
  game.survivors.clear()
  for (const player of saved.players) {
    const survivor = Object.assign(new Survivor(game, player.name), picked(player, playerFields), { position: vectorOf(player.position), home: vectorOf(player.home), deeds: new Map(player.deeds), had: new Set(player.had) })
    restoreSlots(game, survivor.slots, player.slots)
    game.survivors.set(player.name, survivor)
  }
}

module.exports = { save, restore, SavedError }
