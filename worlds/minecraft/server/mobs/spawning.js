// Where creatures come from: herds stand on the grass of a column when somebody first comes near it, monsters come in
// the dark, at some distance. "Dark" is night under the sky, or no sky at all with no light near.
const { Vec3 } = require('vec3')
const biomes = require('../../world/biomes')
const { hash, unit, purpose } = require('../../world/random')

const HERD = purpose('herd')
const HERD_SHARE = 0.12
const NEAR = 4 // columns
const MOST_HOSTILE = 14
const CLOSEST = 24
const FARTHEST = 44
const lights = /torch$|^lantern$|^glowstone$|^lava$|^jack_o_lantern$|^campfire$|^fire$|^sea_lantern$|^shroomlight$/
const monsters = ['zombie', 'zombie', 'skeleton', 'spider', 'creeper']

class Spawning {
  constructor (game) {
    this.game = game
    this.visited = new Set()
  }

  turn () {
    const { tick, rules, difficulty } = this.game
    if (!rules.doMobSpawning) return
    for (const survivor of this.game.connected()) {
      if (tick % 20 === 0) this.herds(survivor)
      if (tick % 40 === 0 && difficulty !== 'peaceful') this.monsters(survivor)
    }
  }

  herds ({ position }) {
    const cx = Math.floor(position.x) >> 4
    const cz = Math.floor(position.z) >> 4
    for (let x = cx - NEAR; x <= cx + NEAR; x++) {
      for (let z = cz - NEAR; z <= cz + NEAR; z++) {
        const key = `${x},${z}`
        if (this.visited.has(key)) continue
        this.visited.add(key)
        if (unit(this.game.seed, HERD, x, z) < HERD_SHARE) this.herd(x, z)
      }
    }
  }

  herd (cx, cz) {
    const { blocks, registry, seed } = this.game
    const biome = registry.biomes[blocks.column(cx, cz).getBiome({ x: 8, y: 64, z: 8 })].name
    const names = biomes[biome].herds
    if (names.length === 0) return
    const name = names[hash(seed, HERD, cx, cz, 1) % names.length]
    const count = 2 + hash(seed, HERD, cx, cz, 2) % 3
    for (let i = 0; i < count; i++) {
      const x = cx * 16 + hash(seed, HERD, cx, cz, i, 3) % 16
      const z = cz * 16 + hash(seed, HERD, cx, cz, i, 4) % 16
      let y = 120
      while (y > 60 && blocks.stateAt(x, y, z) === 0) y--
      const ground = blocks.kindAt(x, y, z).name
      if (ground === 'grass') y--
      if (blocks.kindAt(x, y, z).name === 'grass_block') this.game.mobs.spawn(name, new Vec3(x + 0.5, y + 1, z + 0.5))
    }
  }

  monsters (survivor) {
    const near = this.game.mobs.all.filter(mob => mob.kind.hostile && mob.position.distanceTo(survivor.position) < 80)
    if (near.length >= MOST_HOSTILE) return
    const draw = this.game.draws('monster', Math.floor(survivor.position.x), Math.floor(survivor.position.z))
    for (let tries = 0; tries < 4; tries++) {
      const angle = draw() * 2 * Math.PI
      const far = CLOSEST + draw() * (FARTHEST - CLOSEST)
      const x = Math.floor(survivor.position.x + Math.cos(angle) * far)
      const z = Math.floor(survivor.position.z + Math.sin(angle) * far)
      const y = this.standing(x, Math.floor(survivor.position.y + draw() * 24 - 12), z)
      const name = monsters[Math.floor(draw() * monsters.length)]
      if (y === undefined || !this.isDark(x, y, z)) continue
      this.game.mobs.spawn(name, new Vec3(x + 0.5, y, z + 0.5))
      return
    }
  }

  // The nearest y at or below where a body of two blocks can stand.
  standing (x, y, z) {
    const { blocks } = this.game
    for (let down = 0; down < 16; down++, y--) {
      if (blocks.isSolid(x, y - 1, z) && blocks.stateAt(x, y, z) === 0 && blocks.stateAt(x, y + 1, z) === 0) return y
    }
    return undefined
  }

  isDark (x, y, z) {
    const { blocks, daylight } = this.game
    if (!this.isRoofed(x, y, z) && !daylight.isNight) return false
    for (let dx = -7; dx <= 7; dx++) {
      for (let dz = -7; dz <= 7; dz++) {
        for (let dy = -3; dy <= 3; dy++) if (lights.test(blocks.kindAt(x + dx, y + dy, z + dz).name)) return false
      }
    }
    return true
  }

  isRoofed (x, y, z) {
    for (let up = y + 1; up < 160; up++) if (this.game.blocks.isSolid(x, up, z)) return true
    return false
  }
}

module.exports = { Spawning }
