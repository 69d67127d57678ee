// A click on a block: it is opened or worked where it can be, else what is held is put down beside it. The client waits
// for word of both places after every click, whatever came of it.
const { blockOf, propertiesFor, lookOf, steps, stepOf } = require('../rules/placement')

const tilled = new Set(['grass_block', 'dirt', 'dirt_path'])
const switched = /_door$|_trapdoor$|_fence_gate$/

class Placing {
  constructor (game) {
    this.game = game
  }

  packet (survivor, { location: { x, y, z }, direction: face, cursorY }) {
    if (survivor.health <= 0 || face < 0 || face > 5) return
    const [dx, dy, dz] = steps[face]
    if (survivor.reaches(x, y, z)) this.use(survivor, x, y, z, face, cursorY)
    this.game.blocks.show(survivor.player, x, y, z)
    this.game.blocks.show(survivor.player, x + dx, y + dy, z + dz)
  }

  use (survivor, x, y, z, face, cursorY) {
    const { blocks, containers, sleep } = this.game
    const { name } = blocks.kindAt(x, y, z)
    if (!survivor.sneaking || !survivor.heldItem) {
      if (containers.open(survivor, x, y, z)) return
      if (name.endsWith('_bed')) { sleep.tryBed(survivor, x, y, z); return }
      if (switched.test(name) && !name.startsWith('iron_')) { this.turnSwitch(x, y, z); return }
      if (name === 'sweet_berry_bush' && Number(blocks.propertiesOf(blocks.stateAt(x, y, z)).age) > 1) { this.pickBerries(x, y, z); return }
    }
    if (survivor.heldItem && !this.work(survivor, x, y, z, face)) this.place(survivor, x, y, z, face, cursorY)
  }

  turnSwitch (x, y, z) {
    const { blocks } = this.game
    const { name } = blocks.kindAt(x, y, z)
    const properties = blocks.propertiesOf(blocks.stateAt(x, y, z))
    blocks.setNamed(x, y, z, name, { ...properties, open: !properties.open })
    if (!name.endsWith('_door')) return
    const other = y + (properties.half === 'upper' ? -1 : 1)
    blocks.setNamed(x, other, z, name, { ...blocks.propertiesOf(blocks.stateAt(x, other, z)), open: !properties.open })
  }

  pickBerries (x, y, z) {
    const { blocks, drops } = this.game
    const age = Number(blocks.propertiesOf(blocks.stateAt(x, y, z)).age)
    drops.spillBlock(x, y, z, [this.game.item('sweet_berries', age - 1)])
    blocks.setNamed(x, y, z, 'sweet_berry_bush', { age: 1 })
  }

  // What a tool does to a block that is clicked with it. Whether it did.
  work (survivor, x, y, z, face) {
    const { blocks, growth } = this.game
    const { name } = blocks.kindAt(x, y, z)
    const tool = survivor.heldItem.name
    const free = blocks.stateAt(x, y + 1, z) === 0
    let becomes
    if (tool.endsWith('_hoe') && tilled.has(name) && free) becomes = 'farmland'
    else if (tool.endsWith('_shovel') && name === 'grass_block' && free && face !== 0) becomes = 'dirt_path'
    else if (tool.endsWith('_axe') && /^(?!stripped).*_(log|wood)$/.test(name)) becomes = `stripped_${name}`
    else if (tool === 'bone_meal') {
      if (!growth.hasten(x, y, z)) return false
      survivor.spendHeld()
      return true
    } else if (tool === 'flint_and_steel') {
      const [dx, dy, dz] = steps[face]
      if (blocks.stateAt(x + dx, y + dy, z + dz) !== 0) return false
      blocks.setNamed(x + dx, y + dy, z + dz, 'fire')
      survivor.wearHeld(1)
      return true
    }
    if (!becomes) return false
    blocks.setNamed(x, y, z, becomes, blocks.propertiesOf(blocks.stateAt(x, y, z)))
    survivor.wearHeld(1)
    return true
  }

  place (survivor, x, y, z, face, cursorY) {
    const { blocks, supports, registry, chests } = this.game
    const name = blockOf(registry, survivor.heldItem.name, face)
    if (!name) return
    const there = blocks.stateAt(x, y, z)
    const [dx, dy, dz] = supports.isReplaceable(registry.blocksByStateId[there].name) ? [0, 0, 0] : steps[face]
    let [px, py, pz] = [x + dx, y + dy, z + dz]
    let properties = propertiesFor(name, { face, yaw: survivor.yaw, cursorY })
    if (name.endsWith('_slab') && this.joinsSlab(name, x, y, z, face)) {
      [px, py, pz] = [x, y, z]
      properties = { type: 'double' }
    } else {
      const replaced = blocks.kindAt(px, py, pz).name
      if (!supports.isReplaceable(replaced) || replaced === name) return
      properties.waterlogged = replaced === 'water' && blocks.propertiesOf(blocks.stateAt(px, py, pz)).level === 0
    }
    if (name === 'chest' || name === 'trapped_chest') properties.type = survivor.sneaking ? 'single' : chests.typeBeside(name, px, py, pz, properties.facing)
    const parts = this.partsOf(name, px, py, pz, properties, survivor)
    if (!parts.every(part => this.isFree(name, part))) return
    const state = blocks.stateOf(name, properties)
    if (parts.length === 1 && !supports.holds(state, px, py, pz)) return
    if (name.endsWith('_door') && !blocks.isSolid(px, py - 1, pz)) return
    for (const part of parts) blocks.setNamed(part.x, part.y, part.z, name, part.properties)
    survivor.did('placed', name)
    survivor.spendHeld()
  }

  // Where a slab that is clicked on its open side becomes two.
  joinsSlab (name, x, y, z, face) {
    const { blocks } = this.game
    if (blocks.kindAt(x, y, z).name !== name) return false
    const { type } = blocks.propertiesOf(blocks.stateAt(x, y, z))
    return (type === 'bottom' && face === 1) || (type === 'top' && face === 0)
  }

  // Doors and beds are two blocks.
  partsOf (name, x, y, z, properties, survivor) {
    const own = { x, y, z, properties }
    if (name.endsWith('_door')) return [{ ...own, properties: { ...properties, half: 'lower' } }, { x, y: y + 1, z, properties: { ...properties, half: 'upper' } }]
    if (name.endsWith('_bed')) {
      const [dx, dz] = stepOf[lookOf(survivor.yaw)]
      return [{ ...own, properties: { ...properties, part: 'foot' } }, { x: x + dx, y, z: z + dz, properties: { ...properties, part: 'head' } }]
    }
    return [own]
  }

  // A solid block does not fit where a body is.
  isFree (name, { x, y, z, properties }) {
    const { blocks, supports, registry } = this.game
    if (properties.type === 'double') return true
    if (!supports.isReplaceable(blocks.kindAt(x, y, z).name)) return false
    if (registry.blocksByName[name].boundingBox !== 'block') return true
    const overlaps = (position, width, height) => Math.abs(position.x - x - 0.5) < 0.5 + width / 2 - 0.01 && Math.abs(position.z - z - 0.5) < 0.5 + width / 2 - 0.01 && position.y < y + 0.99 && position.y + height > y + 0.01
    return !this.game.connected().some(survivor => survivor.health > 0 && overlaps(survivor.position, 0.6, 1.8)) &&
      !this.game.mobs.all.some(mob => overlaps(mob.position, mob.kind.width, mob.kind.height))
  }
}

module.exports = { Placing }
