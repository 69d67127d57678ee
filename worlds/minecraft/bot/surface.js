// What a bot has seen of the world from above, a column of sixteen by sixteen blocks at a time, for maps:
//   { x, z: the column's place in columns, names: [NAME...], tops: base64 of 256 times two bytes }
// row by row, x first: the number in `names` of what lies on top there, and by how much the ground beneath it is above
// the sea, 128 added.

const SEA_LEVEL = 62
const LEAST = -128
const MOST = 127
const SIDE = 16
const WITHIN = 8 // columns around the bot, at most: some servers send a great many

// What is looked through, and what the eye rests on and light passes.
const nothing = new Set(['air', 'cave_air', 'void_air', 'grass', 'tall_grass', 'fern', 'large_fern', 'light', 'barrier', 'structure_void'])
const NOTHING = 0
const CLEAR = 1
const GROUND = 2

const byRegistry = new WeakMap()

// By the number of a block's state.
function kindsOf (registry) {
  if (!byRegistry.has(registry)) {
    const kinds = new Uint8Array(Math.max(...registry.blocksArray.map(({ maxStateId }) => maxStateId)) + 1)
    for (const { name, minStateId, maxStateId, boundingBox } of registry.blocksArray) {
      kinds.fill(nothing.has(name) ? NOTHING : boundingBox === 'block' ? GROUND : CLEAR, minStateId, maxStateId + 1)
    }
    byRegistry.set(registry, kinds)
  }
  return byRegistry.get(registry)
}

// Of each of its 256 places the state on top, and the height of the ground; from the sky down.
function topsOf (column, kinds) {
  const states = new Int32Array(SIDE * SIDE).fill(-1)
  const heights = new Int32Array(SIDE * SIDE)
  let open = Array.from(states.keys())
  for (let i = column.sections.length - 1; i >= 0 && open.length > 0; i--) {
    const { data } = column.sections[i]
    if (data.value !== undefined && kinds[data.value] === NOTHING) continue // all of it is air
    open = open.filter(place => {
      for (let y = SIDE - 1; y >= 0; y--) {
        const state = data.get(y << 8 | place)
        if (kinds[state] === NOTHING) continue
        if (states[place] < 0) states[place] = state
        if (kinds[state] === CLEAR) continue
        heights[place] = column.minY + i * SIDE + y
        return false
      }
      return true
    })
  }
  return { states, heights }
}

// undefined: the bot has no such column any more.
function surfaceOf (bot, x, z) {
  const column = bot.world.getColumn(x, z)
  if (!column) return undefined
  const { states, heights } = topsOf(column, kindsOf(bot.registry))
  const names = []
  const tops = Buffer.alloc(2 * SIDE * SIDE)
  for (let place = 0; place < SIDE * SIDE; place++) {
    const name = states[place] < 0 ? 'air' : bot.registry.blocksByStateId[states[place]].name
    let number = names.indexOf(name)
    if (number < 0) number = names.push(name) - 1
    tops[2 * place] = number
    tops[2 * place + 1] = Math.min(MOST, Math.max(LEAST, heights[place] - SEA_LEVEL)) - LEAST
  }
  return { x, z, names, tops: tops.toString('base64') }
}

// All that the bot has before its eyes.
function surfaces (bot) {
  const here = bot.entity.position
  const near = value => Math.abs(value) <= WITHIN
  return bot.world.getColumns()
    .map(({ chunkX, chunkZ }) => [Number(chunkX), Number(chunkZ)])
    .filter(([x, z]) => near(x - Math.floor(here.x / SIDE)) && near(z - Math.floor(here.z / SIDE)))
    .map(([x, z]) => surfaceOf(bot, x, z))
}

// Calls `seen` with each column that comes into sight from now on.
function watchSurfaces (bot, seen) {
  bot.world.on('chunkColumnLoad', corner => seen(surfaceOf(bot, corner.x / SIDE, corner.z / SIDE)))
}

module.exports = { surfaces, watchSurfaces }
