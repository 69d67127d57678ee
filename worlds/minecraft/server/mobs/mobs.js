// Creatures at their turns: animals wander, flee from blows, follow food and breed; monsters come for players.
const { Vec3 } = require('vec3')
const kinds = require('./kinds')
const { lootOf } = require('../../rules/loot')
const { blowDamage } = require('../../rules/combat')
const { wear } = require('../../rules/digging')

const FLEES = 100
const REACH = 5
const FUSE = 30
const BLAST = 4.5
const harm = { peaceful: 0, easy: 0.67, normal: 1, hard: 1.5 }
const HURT = 2
const DEAD = 3

class Mobs {
  constructor (game) {
    this.game = game
    this.all = []
  }

  kindOf (name) { return kinds[name] }

  spawn (name, position) {
    const kind = this.kindOf(name)
    const mob = this.game.bodies.spawn('mob', name, position, { kind, health: kind.health, burning: 0, fleeing: 0, fuse: 0, struckAt: -100, hitAt: -100, heading: undefined })
    this.all.push(mob)
    return mob
  }

  remove (mob) {
    this.all = this.all.filter(other => other !== mob)
    this.game.bodies.remove(mob)
  }

  turn () {
    for (const mob of [...this.all]) {
      if (!this.game.isAwake(mob.position)) {
        if (mob.kind.hostile) this.remove(mob)
        continue
      }
      this.suffer(mob)
      if (mob.health <= 0) continue
      const target = mob.kind.hostile ? this.prey(mob) : undefined
      if (target) this.hunt(mob, target)
      else this.wander(mob)
      this.game.bodies.move(mob, mob.kind.width, mob.kind.height)
    }
  }

  suffer (mob) {
    const { daylight, bodies, spawning, tick } = this.game
    const fluid = bodies.fluidAt(mob.position)
    if (fluid === 'lava') { mob.burning = 100; if (tick % 10 === 0) this.hurt(mob, 4) }
    if (fluid === 'water') mob.burning = 0
    if (mob.kind.burns && tick % 20 === mob.number % 20 && !daylight.isNight && fluid !== 'water') {
      const { x, y, z } = mob.position.floored()
      if (!spawning.isRoofed(x, y + 1, z)) mob.burning = 60
    }
    if (mob.burning > 0 && --mob.burning % 20 === 0) this.hurt(mob, 1)
    if (mob.position.y < -90) this.remove(mob)
  }

  prey (mob) {
    if (this.game.difficulty === 'peaceful') { this.remove(mob); return undefined }
    if (mob.kind.calmByDay && !this.game.daylight.isNight && this.game.tick - mob.hitAt > 400) return undefined
    let best
    for (const survivor of this.game.connected()) {
      const distance = survivor.position.distanceTo(mob.position)
      if (survivor.health > 0 && distance < mob.kind.sees && (!best || distance < best.distance)) best = { survivor, distance }
    }
    return best && (best.distance < 4 || this.sees(mob, best.survivor)) ? best : undefined
  }

  sees (mob, survivor) {
    const from = mob.position.offset(0, mob.kind.height * 0.85, 0)
    const way = survivor.eyes.minus(from)
    const steps = Math.ceil(way.norm() * 2)
    for (let i = 1; i < steps; i++) {
      const { x, y, z } = from.plus(way.scaled(i / steps)).floored()
      if (this.game.blocks.isSolid(x, y, z)) return false
    }
    return true
  }

  hunt (mob, { survivor, distance }) {
    const { kind } = mob
    const { tick } = this.game
    this.head(mob, survivor.position, kind.shoots && distance < kind.reach * 0.7 ? 0 : kind.speed)
    if (kind.explodes) { this.burnFuse(mob, distance); return }
    if (distance > kind.reach + kind.width / 2 || tick - mob.struckAt < (kind.pause ?? 20)) return
    if (!this.sees(mob, survivor)) return
    mob.struckAt = tick
    survivor.hurt(kind.damage * harm[this.game.difficulty], mob.name)
    if (!kind.shoots) this.push(survivor, mob)
  }

  push (survivor, mob) {
    const way = survivor.position.minus(mob.position)
    const length = Math.max(0.1, Math.hypot(way.x, way.z))
    const velocity = new Vec3(way.x / length * 0.4, 0.36, way.z / length * 0.4).scaled(8000)
    survivor.send('entity_velocity', { entityId: survivor.player.id, velocity: velocity.floored() })
  }

  burnFuse (mob, distance) {
    mob.fuse = distance < 3 ? mob.fuse + 1 : Math.max(0, mob.fuse - 1)
    if (mob.fuse < FUSE) return
    for (const survivor of this.game.connected()) {
      const share = 1 - survivor.position.distanceTo(mob.position) / BLAST
      if (share > 0) survivor.hurt(mob.kind.damage * share * harm[this.game.difficulty], 'blast')
    }
    this.game.blasts.at(mob.position, 3)
    this.remove(mob)
  }

  wander (mob) {
    const { tick } = this.game
    if (mob.fleeing > 0) mob.fleeing--
    const lure = mob.kind.food && this.game.connected().find(survivor => survivor.heldItem?.name === mob.kind.food && survivor.position.distanceTo(mob.position) < 8)
    if (lure) {
      this.head(mob, lure.position, lure.position.distanceTo(mob.position) > 2 ? mob.kind.speed : 0)
      return
    }
    if (tick % 60 === mob.number % 60 || mob.heading === undefined) {
      const draw = this.game.draws('wander', mob.number)
      mob.heading = draw() < 0.4 ? draw() * 2 * Math.PI : null
    }
    if (mob.heading === null && mob.fleeing === 0) return
    const angle = mob.heading ?? 0
    this.head(mob, mob.position.offset(Math.cos(angle) * 8, 0, Math.sin(angle) * 8), mob.kind.speed * (mob.fleeing > 0 ? 2 : 0.6))
  }

  head (mob, to, speed) {
    const dx = to.x - mob.position.x
    const dz = to.z - mob.position.z
    const length = Math.hypot(dx, dz)
    if (length < 0.2) return
    mob.yaw = (Math.round(Math.atan2(-dx, dz) * 128 / Math.PI) << 24) >> 24
    mob.velocity.x = dx / length * speed
    mob.velocity.z = dz / length * speed
    if (mob.bumped && mob.kind.climbs) mob.velocity.y = 0.2
    else if (mob.bumped && mob.onGround) mob.velocity.y = 0.5
    else if (mob.onGround && !mob.kind.hostile && this.isCliff(mob, dx / length, dz / length)) mob.velocity.x = mob.velocity.z = 0
  }

  isCliff (mob, dx, dz) {
    const { x, y, z } = mob.position.offset(dx, 0, dz).floored()
    return [0, 1, 2, 3].every(down => this.game.blocks.stateAt(x, y - down, z) === 0)
  }

  // A blow by a player.
  strike (survivor, id) {
    const mob = this.all.find(other => other.id === id)
    if (!mob || survivor.health <= 0 || survivor.eyes.distanceTo(mob.position.offset(0, mob.kind.height / 2, 0)) > REACH) return
    const { tick } = this.game
    const tool = survivor.heldItem?.name
    const damage = blowDamage(tool, tick - survivor.lastBlow)
    survivor.lastBlow = tick
    if (tick - mob.hitAt < 10) return
    mob.hitAt = tick
    mob.fleeing = FLEES
    const way = mob.position.minus(survivor.position)
    mob.heading = Math.atan2(way.z, way.x)
    const length = Math.max(0.1, Math.hypot(way.x, way.z))
    mob.velocity = new Vec3(way.x / length * 0.4, 0.35, way.z / length * 0.4)
    survivor.tire(0.1)
    if (tool) survivor.wearHeld(wear(tool, 'hit'))
    this.hurt(mob, damage)
    if (mob.health <= 0) survivor.did('killed', mob.name)
  }

  hurt (mob, damage) {
    mob.health -= damage
    mob._writeOthersNearby('entity_status', { entityId: mob.id, entityStatus: mob.health > 0 ? HURT : DEAD })
    if (mob.health > 0) return
    const draw = this.game.draws('loot', mob.number)
    for (const [name, count] of lootOf(mob.name, mob.burning > 0, draw)) this.game.drops.spill(mob.position.offset(0, 0.4, 0), this.game.item(name, count))
    this.remove(mob)
  }

  // A use of what is held on a creature: shears, buckets.
  use (survivor, id) {
    const mob = this.all.find(other => other.id === id)
    const tool = survivor.heldItem?.name
    if (!mob || !tool || survivor.eyes.distanceTo(mob.position) > REACH) return
    if (mob.name === 'cow' && tool === 'bucket') survivor.spendHeld(this.game.item('milk_bucket'))
    else if (mob.name === 'sheep' && tool === 'shears' && !mob.shornAt) {
      mob.shornAt = this.game.tick
      this.game.drops.spill(mob.position.offset(0, 1, 0), this.game.item('white_wool', 1 + Math.floor(this.game.draws('wool', mob.number)() * 3)))
      survivor.wearHeld(1)
    } else if (tool === mob.kind.food && !(this.game.tick - mob.bredAt < 6000)) {
      survivor.spendHeld()
      mob.bredAt = this.game.tick
      const mate = this.all.find(other => other !== mob && other.name === mob.name && this.game.tick - other.bredAt < 600 && other.position.distanceTo(mob.position) < 8)
      if (mate) this.spawn(mob.name, mob.position.clone())
    }
  }
}

module.exports = { Mobs }
