// Beds: who lies down at night wakes in the morning, when everybody sleeps, and comes back there after death.
const { stepOf, opposite } = require('../rules/placement')

const SLEEPS = 100
const NEAR = 3.5
// Fields of an entity's metadata and the protocol's numbers of their types.
const POSE = { key: 6, type: 18 }
const STANDING = 0
const SLEEPING = 2
const LEAVES_BED = 2

class Sleep {
  constructor (game) {
    this.game = game
  }

  tryBed (survivor, x, y, z) {
    const { blocks, daylight, mobs } = this.game
    const bed = blocks.propertiesOf(blocks.stateAt(x, y, z))
    const [dx, dz] = bed.part === 'foot' ? stepOf[bed.facing] : [0, 0]
    const head = new this.game.Vec3(x + dx, y, z + dz)
    survivor.home = head
    if (!daylight.isBedtime) { survivor.say('You can sleep only at night'); return }
    if (survivor.position.distanceTo(head.offset(0.5, 0, 0.5)) > NEAR) { survivor.say('You may not rest now; the bed is too far away'); return }
    const isNear = ({ position }) => Math.abs(position.x - head.x) <= 8 && Math.abs(position.z - head.z) <= 8 && Math.abs(position.y - head.y) <= 5
    if (mobs.all.some(mob => mob.kind.hostile && isNear(mob))) { survivor.say('You may not rest now; there are monsters nearby'); return }
    survivor.sleepingSince = this.game.tick
    this.pose(survivor, SLEEPING)
  }

  pose (survivor, value) {
    const packet = { entityId: survivor.player.id, metadata: [{ ...POSE, value }] }
    for (const other of this.game.connected()) other.send('entity_metadata', packet)
  }

  wake (survivor) {
    if (survivor.sleepingSince === undefined) return
    survivor.sleepingSince = undefined
    if (!survivor.player) return
    this.pose(survivor, STANDING)
    for (const other of this.game.connected()) other.send('animation', { entityId: survivor.player.id, animation: LEAVES_BED })
  }

  turn () {
    const { daylight, tick } = this.game
    const everybody = this.game.connected()
    const sleepers = everybody.filter(survivor => survivor.sleepingSince !== undefined)
    if (sleepers.length === 0) return
    if (!daylight.isBedtime) {
      for (const survivor of sleepers) this.wake(survivor)
    } else if (sleepers.length === everybody.length && sleepers.every(survivor => tick - survivor.sleepingSince >= SLEEPS)) {
      daylight.skipToMorning()
      for (const survivor of sleepers) this.wake(survivor)
    }
  }
}

// Where a player begins, and begins again after death.
class Homes {
  constructor (game, start) {
    this.game = game
    this.start = start
  }

  of (survivor) {
    const { blocks } = this.game
    const { home } = survivor
    if (home && blocks.kindAt(home.x, home.y, home.z).name.endsWith('_bed')) {
      const { facing } = blocks.propertiesOf(blocks.stateAt(home.x, home.y, home.z))
      const beside = [[0, 0], stepOf[opposite[facing]]].flatMap(([bx, bz]) => Object.values(stepOf).map(([dx, dz]) => [home.x + bx + dx, home.z + bz + dz]))
      for (const [x, z] of beside) {
        if (blocks.isSolid(x, home.y - 1, z) && !blocks.isSolid(x, home.y, z) && !blocks.isSolid(x, home.y + 1, z)) return new this.game.Vec3(x + 0.5, home.y, z + 0.5)
      }
    }
    survivor.home = undefined
    return new this.game.Vec3(this.start.x + 0.5, this.top(this.start), this.start.z + 0.5)
  }

  top ({ x, z }) {
    const { blocks } = this.game
    let y = 319
    while (y > -64 && !blocks.isSolid(x, y - 1, z)) y--
    return y
  }
}

module.exports = { Sleep, Homes }
