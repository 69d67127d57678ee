// Using what is held, at nothing in particular: eating, drinking, filling and emptying buckets.
const { Vec3 } = require('vec3')
const { MOST_FOOD } = require('./player/needs')

const EATS_IN = 32
const BUCKET_REACH = 5
const STEP = 0.1
const alwaysEaten = new Set(['golden_apple', 'enchanted_golden_apple', 'honey_bottle', 'chorus_fruit', 'milk_bucket'])
const bowls = new Set(['mushroom_stew', 'rabbit_stew', 'beetroot_soup', 'suspicious_stew'])
const FINISHED_EATING = 9

class Using {
  constructor (game) {
    this.game = game
  }

  packet (survivor) {
    const name = survivor.heldItem?.name
    if (!name || survivor.health <= 0) return
    if (name === 'bucket') this.fill(survivor)
    else if (name === 'water_bucket' || name === 'lava_bucket') this.pour(survivor, name.replace('_bucket', ''))
    else if (name === 'milk_bucket' || (this.game.registry.foodsByName[name] && (survivor.food < MOST_FOOD || alwaysEaten.has(name)))) {
      survivor.eating = { item: survivor.heldItem, since: this.game.tick }
    }
  }

  release (survivor) {
    survivor.eating = undefined
  }

  turn () {
    for (const survivor of this.game.connected()) {
      const { eating } = survivor
      if (!eating || this.game.tick - eating.since < EATS_IN) continue
      survivor.eating = undefined
      this.swallow(survivor, eating.item.name)
    }
  }

  swallow (survivor, name) {
    survivor.did('eaten', name)
    const food = this.game.registry.foodsByName[name]
    if (food) {
      survivor.food = Math.min(MOST_FOOD, survivor.food + food.foodPoints)
      survivor.saturation = Math.min(survivor.food, survivor.saturation + food.saturation)
    }
    survivor.send('entity_status', { entityId: survivor.player.id, entityStatus: FINISHED_EATING })
    survivor.spendHeld(name === 'milk_bucket' ? this.game.item('bucket') : bowls.has(name) ? this.game.item('bowl') : undefined)
    survivor.sendHealth()
  }

  // The first block along the line of sight that `stops`, and the one before it.
  sight (survivor, stops) {
    const yaw = survivor.yaw * Math.PI / 180
    const pitch = survivor.pitch * Math.PI / 180
    const direction = new Vec3(-Math.sin(yaw) * Math.cos(pitch), -Math.sin(pitch), Math.cos(yaw) * Math.cos(pitch))
    let before
    for (let far = 0; far <= BUCKET_REACH; far += STEP) {
      const at = survivor.eyes.plus(direction.scaled(far)).floored()
      if (before && at.equals(before)) continue
      if (stops(at)) return { at, before }
      before = at
    }
    return undefined
  }

  fill (survivor) {
    const { blocks, fluids } = this.game
    const seen = this.sight(survivor, ({ x, y, z }) => blocks.isSolid(x, y, z) || fluids.at(x, y, z)?.level === 0)
    const fluid = seen && fluids.at(seen.at.x, seen.at.y, seen.at.z)
    if (!fluid || fluid.level !== 0) return
    const { x, y, z } = seen.at
    if (fluid.held) blocks.setNamed(x, y, z, blocks.kindAt(x, y, z).name, { ...blocks.propertiesOf(blocks.stateAt(x, y, z)), waterlogged: false })
    else blocks.set(x, y, z, 0)
    survivor.spendHeld(this.game.item(`${fluid.name}_bucket`))
  }

  pour (survivor, fluid) {
    const { blocks, supports } = this.game
    const seen = this.sight(survivor, ({ x, y, z }) => blocks.isSolid(x, y, z))
    if (!seen?.before) return
    const { x, y, z } = seen.before
    if (!supports.isReplaceable(blocks.kindAt(x, y, z).name)) return
    blocks.setNamed(x, y, z, fluid)
    survivor.spendHeld(this.game.item('bucket'))
  }
}

module.exports = { Using }
