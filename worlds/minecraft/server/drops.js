// Things that lie about: they fall, join others of their kind, are picked up by who comes near, and are gone after
// five minutes.
const { Vec3 } = require('vec3')
const { alike } = require('./stacks')

const REACH = 1.5
const LASTS = 6000
const PICKUP_DELAY = 10
const THROWN_DELAY = 40
// The field of an entity's metadata that says which item it is, and the protocol's number for the type of an item.
const ITEM_FIELD = 8
const ITEM_TYPE = 6

class Drops {
  constructor (game) {
    this.game = game
    this.all = []
  }

  // What an entity has that lies about as this item.
  lookOf (item) {
    return { stack: item, metadata: [{ key: ITEM_FIELD, type: ITEM_TYPE, value: this.game.Item.toNotch(item) }] }
  }

  spill (position, item, { delay = PICKUP_DELAY, velocity } = {}) {
    const draw = this.game.draws('spill', Math.floor(position.x * 8), Math.floor(position.y * 8), Math.floor(position.z * 8), item.type)
    const drop = this.game.bodies.spawn('object', 'item', position.clone(), {
      ...this.lookOf(item),
      velocity: velocity ?? new Vec3(draw() * 0.1 - 0.05, 0.1, draw() * 0.1 - 0.05),
      free: this.game.tick + delay
    })
    drop.sendMetadata(drop.metadata)
    this.all.push(drop)
  }

  spillBlock (x, y, z, items) {
    for (const item of items) this.spill(new Vec3(x + 0.5, y + 0.3, z + 0.5), item)
  }

  throwFrom (survivor, item) {
    const yaw = survivor.yaw * Math.PI / 180
    const velocity = new Vec3(-Math.sin(yaw) * 0.3, 0.1, Math.cos(yaw) * 0.3)
    this.spill(survivor.position.offset(0, 1.3, 0), item, { delay: THROWN_DELAY, velocity })
  }

  turn () {
    for (const drop of this.all) {
      if (!this.game.isAwake(drop.position)) continue
      this.game.bodies.move(drop, 0.25, 0.25)
      if (this.game.bodies.fluidAt(drop.position) === 'lava' || drop.position.y < -80) drop.stack.count = 0
      if (this.game.tick >= drop.free) this.offer(drop)
    }
    if (this.game.tick % 20 === 0) this.join()
    this.all = this.all.filter(drop => {
      if (drop.stack.count > 0 && this.game.tick - drop.born < LASTS) return true
      this.game.bodies.remove(drop)
      return false
    })
  }

  offer (drop) {
    for (const survivor of this.game.connected()) {
      const { position } = survivor
      if (survivor.health <= 0 || Math.abs(drop.position.y - position.y - 0.5) > 1.6) continue
      if (Math.hypot(drop.position.x - position.x, drop.position.z - position.z) > REACH) continue
      const left = survivor.receive(drop.stack)
      if (left === drop.stack.count) continue
      for (const other of this.game.connected()) other.send('collect', { collectedEntityId: drop.id, collectorEntityId: survivor.player.id, pickupItemCount: drop.stack.count - left })
      drop.stack.count = left
      if (left === 0) return
    }
  }

  join () {
    for (const [i, one] of this.all.entries()) {
      if (one.stack.count === 0) continue
      for (const other of this.all.slice(i + 1)) {
        if (other.stack.count === 0 || other.position.distanceTo(one.position) > 1 || !alike(this.game.Item, one.stack, other.stack)) continue
        if (one.stack.count + other.stack.count > one.stack.stackSize) continue
        one.stack.count += other.stack.count
        other.stack.count = 0
        one.metadata[0].value = this.game.Item.toNotch(one.stack)
        one.sendMetadata(one.metadata)
      }
    }
  }
}

module.exports = { Drops }
