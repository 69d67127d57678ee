// Bodies that move by themselves, as a box of some width and height with its feet at its position: gravity, walls,
// water. Speeds are in blocks a tick.
const { Vec3 } = require('vec3')

const GRAVITY = 0.08
const DRAG = 0.98

class Bodies {
  constructor (game) {
    this.game = game
    this.spawned = 0
  }

  // `type` is flying-squid's: "object" or "mob".
  spawn (type, name, position, extra = {}) {
    const { serv, registry } = this.game
    const entity = serv.initEntity(type, registry.entitiesByName[name].id, serv.overworld, position)
    // Draws go by this number, and so does the uuid: the same world gives them again, as it does not the protocol's id.
    const number = ++this.spawned
    entity.uuid = `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
    Object.assign(entity, { number, name, velocity: new Vec3(0, 0, 0), yaw: 0, pitch: 0, headPitch: 0, data: 1, metadata: [], onGround: false, born: this.game.tick, ...extra })
    entity.updateAndSpawn()
    return entity
  }

  remove (entity) {
    entity._writeOthersNearby('entity_destroy', { entityIds: [entity.id] })
    delete this.game.serv.entities[entity.id]
    for (const player of this.game.serv.players) player.nearbyEntities = player.nearbyEntities.filter(other => other !== entity)
  }

  blocked (x, y, z, width, height) {
    const { blocks } = this.game
    const half = width / 2
    for (let by = Math.floor(y); by < y + height; by++) {
      for (let bx = Math.floor(x - half); bx < x + half; bx++) {
        for (let bz = Math.floor(z - half); bz < z + half; bz++) if (blocks.isSolid(bx, by, bz)) return true
      }
    }
    return false
  }

  fluidAt (position) {
    const { name } = this.game.blocks.kindAt(Math.floor(position.x), Math.floor(position.y + 0.1), Math.floor(position.z))
    return name === 'water' || name === 'lava' ? name : undefined
  }

  // One tick of movement. Says in entity.bumped whether a wall was in the way.
  move (entity, width, height) {
    const { velocity } = entity
    const wet = this.fluidAt(entity.position)
    velocity.y = wet ? Math.min(velocity.y + 0.02, 0.08) : (velocity.y - GRAVITY) * DRAG
    const position = entity.position.clone()
    entity.bumped = false
    for (const axis of ['x', 'z']) {
      const old = position[axis]
      position[axis] += velocity[axis]
      if (this.blocked(position.x, position.y, position.z, width, height)) {
        position[axis] = old
        velocity[axis] = 0
        entity.bumped = true
      }
    }
    const fall = velocity.y
    position.y += fall
    entity.onGround = false
    if (this.blocked(position.x, position.y, position.z, width, height)) {
      position.y = fall < 0 ? this.floorUnder(position, entity.position.y, width) : entity.position.y
      entity.onGround = fall < 0
      velocity.y = 0
    }
    const friction = entity.onGround ? 0.55 : 0.91
    velocity.x *= friction
    velocity.z *= friction
    this.put(entity, position)
  }

  floorUnder (position, from, width) {
    let y = Math.ceil(position.y - 1e-9)
    while (y < from && this.blocked(position.x, y, position.z, width, 0.1)) y++
    return Math.min(Math.max(y, position.y), Math.max(from, y))
  }

  put (entity, position) {
    const moved = position.distanceTo(entity.position)
    entity.position = position
    if (moved < 1e-4) return
    entity._writeOthersNearby('entity_teleport', {
      entityId: entity.id, x: position.x, y: position.y, z: position.z, yaw: entity.yaw, pitch: 0, onGround: entity.onGround
    })
    if (position.distanceTo(entity.lastPositionPlayersUpdated) > 8) entity.updateAndSpawn()
  }
}

module.exports = { Bodies }
