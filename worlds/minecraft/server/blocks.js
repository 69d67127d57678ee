// The blocks of the world: read and changed at once, whatever is loaded. What was changed is kept beside the columns,
// which are made anew from the seed when somebody comes near again.
const prismarineBlock = require('prismarine-block')
const { BOTTOM } = require('../world/column')

const TOP = BOTTOM + 384
const around = [[0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1], [-1, 0, 0], [1, 0, 0]]
const columnKey = (cx, cz) => `${cx},${cz}`
const indexIn = (x, y, z) => ((y - BOTTOM) << 8) | ((z & 15) << 4) | (x & 15)

class Blocks {
  constructor (serv) {
    this.serv = serv
    this.registry = serv.registry
    this.world = serv.overworld
    this.Block = prismarineBlock(serv.registry)
    this.edits = new Map() // column -> Map(index -> state)
    this.watchers = []
    this.properties = new Map()
    const generate = this.world.chunkGenerator
    this.world.chunkGenerator = (cx, cz) => this.withEdits(cx, cz, generate(cx, cz))
    // The library's own makes a column twice when it is asked for twice before the first is there.
    this.world.getColumn = async (cx, cz) => this.column(cx, cz)
  }

  withEdits (cx, cz, column) {
    for (const [index, state] of this.edits.get(columnKey(cx, cz)) ?? []) {
      column.setBlockStateId({ x: index & 15, y: (index >> 8) + BOTTOM, z: (index >> 4) & 15 }, state)
    }
    return column
  }

  column (cx, cz) {
    const loaded = this.world.columns[columnKey(cx, cz)]
    if (loaded) return loaded
    const column = this.world.chunkGenerator(cx, cz)
    this.world.setLoadedColumn(cx, cz, column)
    return column
  }

  stateAt (x, y, z) {
    if (y < BOTTOM || y >= TOP) return 0
    return this.column(x >> 4, z >> 4).getBlockStateId({ x: x & 15, y, z: z & 15 })
  }

  // The block's kind, as minecraft-data has it.
  kindAt (x, y, z) {
    return this.registry.blocksByStateId[this.stateAt(x, y, z)]
  }

  propertiesOf (state) {
    if (!this.properties.has(state)) this.properties.set(state, this.Block.fromStateId(state, 0).getProperties())
    return this.properties.get(state)
  }

  // The state of a block by name with these properties, others as they are by default.
  stateOf (name, properties = {}) {
    const kind = this.registry.blocksByName[name]
    const own = Object.fromEntries(Object.entries(properties).filter(([key]) => kind.states.some(state => state.name === key)))
    if (Object.keys(own).length === 0) return kind.defaultState
    return this.Block.fromProperties(name, { ...this.propertiesOf(kind.defaultState), ...own }, 0).stateId
  }

  isSolid (x, y, z) {
    return this.kindAt(x, y, z).boundingBox === 'block'
  }

  // Sets a block, tells everybody who sees it, and then those who watch: (x, y, z, old state, new state).
  set (x, y, z, state) {
    if (y < BOTTOM || y >= TOP) return
    const old = this.stateAt(x, y, z)
    if (old === state) return
    this.column(x >> 4, z >> 4).setBlockStateId({ x: x & 15, y, z: z & 15 }, state)
    const key = columnKey(x >> 4, z >> 4)
    if (!this.edits.has(key)) this.edits.set(key, new Map())
    this.edits.get(key).set(indexIn(x, y, z), state)
    for (const player of this.serv.players) this.show(player, x, y, z)
    for (const watcher of this.watchers) watcher(x, y, z, old, state)
  }

  setNamed (x, y, z, name, properties) {
    this.set(x, y, z, this.stateOf(name, properties))
  }

  // Tells one player what is there, whatever it believes. Of a column that nobody sees there is nothing to tell, and a
  // client's word is no reason to make one.
  show (player, x, y, z) {
    if (!this.world.columns[columnKey(x >> 4, z >> 4)]) return
    player._client.write('block_change', { location: { x, y, z }, type: this.stateAt(x, y, z) })
  }
}

module.exports = { Blocks, BOTTOM, TOP, around, columnKey }
