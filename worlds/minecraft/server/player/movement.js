// Where a player is, by its own word: bounded in speed, with falls measured, and with the hunger that running makes.
const { Vec3 } = require('vec3')

// Blocks that one may have moved beyond what the ticks allow, before it is set back: clocks of two processes jitter.
const SLACK = 40
const FASTEST = 1 // blocks a tick, along the ground; running and jumping on ice is some 0.9
const SOFT_FALL = 3
const soft = new Set(['water', 'lava', 'ladder', 'vine', 'scaffolding', 'cobweb', 'sweet_berry_bush', 'twisting_vines', 'weeping_vines'])

class Movement {
  constructor (game) {
    this.game = game
  }

  // A packet that says where the player is (or not: then it stays), and whether it stands on something.
  moved (survivor, packet) {
    if (survivor.awaits !== undefined || survivor.health <= 0) return
    if (packet.yaw !== undefined) { survivor.yaw = packet.yaw; survivor.pitch = packet.pitch }
    if (packet.x !== undefined) {
      const to = new Vec3(packet.x, packet.y, packet.z)
      if (![to.x, to.y, to.z].every(Number.isFinite) || !this.isPossible(survivor, to)) {
        this.game.connections.setPosition(survivor)
        return
      }
      this.walk(survivor, to)
    }
    this.stand(survivor, packet.onGround)
  }

  isPossible (survivor, to) {
    const { tick } = this.game
    survivor.allowance = Math.min(SLACK, (survivor.allowance ?? SLACK) + (tick - (survivor.movedAt ?? tick)) * FASTEST)
    survivor.movedAt = tick
    const distance = Math.hypot(to.x - survivor.position.x, to.z - survivor.position.z) + Math.max(0, to.y - survivor.position.y)
    if (distance > survivor.allowance) return false
    survivor.allowance -= distance
    return true
  }

  walk (survivor, to) {
    const from = survivor.position
    const distance = Math.hypot(to.x - from.x, to.z - from.z)
    const wet = this.touches(to).has('water')
    if (wet) survivor.tire(0.01 * distance)
    else if (survivor.sprinting) survivor.tire(0.1 * distance)
    if (survivor.onGround && to.y > from.y + 0.3) survivor.tire(survivor.sprinting ? 0.2 : 0.05)
    this.game.connections.place(survivor, to)
  }

  touches (position) {
    const { blocks } = this.game
    return new Set([0, 0.4].map(up => blocks.kindAt(Math.floor(position.x), Math.floor(position.y + up), Math.floor(position.z)).name))
  }

  stand (survivor, onGround) {
    const { y } = survivor.position
    const isSoft = [...this.touches(survivor.position)].some(name => soft.has(name))
    if (isSoft) survivor.highest = undefined
    if (!onGround) survivor.highest = isSoft ? undefined : Math.max(survivor.highest ?? y, y)
    else if (survivor.highest !== undefined) {
      const under = this.game.blocks.kindAt(Math.floor(survivor.position.x), Math.floor(y - 0.2), Math.floor(survivor.position.z)).name
      const share = under === 'hay_block' ? 0.2 : under.endsWith('_bed') ? 0.5 : under === 'slime_block' ? 0 : 1
      const damage = Math.ceil((survivor.highest - y - SOFT_FALL) * share)
      survivor.highest = undefined
      survivor.onGround = true
      survivor.hurt(damage, 'fall', { past: true })
    }
    survivor.onGround = onGround
  }
}

module.exports = { Movement }
