// Blocks that hold things: which window each opens, and what falls out when it is broken.
const furnaceKinds = new Set(['furnace', 'smoker', 'blast_furnace'])
const chestKinds = new Set(['chest', 'trapped_chest', 'barrel'])

class Containers {
  constructor (game) {
    this.game = game
    // However one is taken away, what it held does not wait for the next one that is put there.
    game.blocks.watchers.push((x, y, z, old, now) => {
      const [was, is] = [old, now].map(state => game.registry.blocksByStateId[state])
      if (was.name !== is.name) this.empty(was, x, y, z)
    })
  }

  // Opens what is there, if it opens a window at all.
  open (survivor, x, y, z) {
    const { windows, furnaces, chests, blocks } = this.game
    const { name } = blocks.kindAt(x, y, z)
    const position = { x, y, z }
    if (name === 'crafting_table') windows.openCrafting(survivor, position)
    else if (furnaceKinds.has(name)) windows.openFurnace(survivor, furnaces.at(name, x, y, z), position)
    else if (chestKinds.has(name)) {
      if (name !== 'barrel' && this.isCovered(x, y, z)) return true
      windows.openChest(survivor, chests.at(x, y, z), position)
    } else return false
    return true
  }

  isCovered (x, y, z) {
    const { blocks, chests } = this.game
    const other = chests.partner(x, y, z, blocks.stateAt(x, y, z))
    return [[x, z], other ?? [x, z]].some(([cx, cz]) => this.isFull(blocks.kindAt(cx, y + 1, cz)))
  }

  isFull (kind) {
    return kind.boundingBox === 'block' && !kind.transparent
  }

  empty (kind, x, y, z) {
    const { furnaces, chests, blocks, windows } = this.game
    if (!furnaceKinds.has(kind.name) && !chestKinds.has(kind.name)) return []
    for (const survivor of this.game.connected()) {
      const { position } = survivor.view
      if (position && Math.abs(position.x - x) + Math.abs(position.y - y) + Math.abs(position.z - z) <= 1) windows.shut(survivor)
    }
    if (furnaceKinds.has(kind.name)) return furnaces.remove(x, y, z)
    const other = blocks.kindAt(x, y, z).name === kind.name && chests.partner(x, y, z, blocks.stateAt(x, y, z))
    if (other) {
      const state = blocks.stateAt(other[0], y, other[1])
      if (this.game.registry.blocksByStateId[state].name === kind.name) blocks.setNamed(other[0], y, other[1], kind.name, { ...blocks.propertiesOf(state), type: 'single' })
    }
    return chests.remove(x, y, z)
  }

  // A window whose block is out of reach is shut.
  turn () {
    for (const survivor of this.game.connected()) {
      const { position } = survivor.view
      if (position && !(survivor.eyes.distanceTo(new this.game.Vec3(position.x + 0.5, position.y + 0.5, position.z + 0.5)) <= 8)) this.game.windows.shut(survivor)
    }
  }
}

module.exports = { Containers }
