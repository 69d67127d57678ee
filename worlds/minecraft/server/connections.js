// Players coming and going: what the protocol wants to hear at login, which columns each of them sees, where they are.
const { Survivor } = require('./player/survivor')
const { columnKey } = require('./blocks')

const FIRST_VIEW = 2 // columns that are sent at once; the others follow one a tick
const WORLD = 'minecraft:overworld'
const SURVIVAL = 0
const NONE_BEFORE = 255
// Clients that draw want the height of each place; those that do not have to be sent something.
const NO_HEIGHTS = { type: 'compound', name: '', value: { MOTION_BLOCKING: { type: 'longArray', value: new Array(36).fill([0, 0]) } } }

class Connections {
  constructor (game, view) {
    this.game = game
    this.view = view
    this.teleports = 0
  }

  survivorOf (name) {
    const { survivors, homes } = this.game
    if (!survivors.has(name)) {
      const survivor = new Survivor(this.game, name)
      survivors.set(name, survivor)
      survivor.position = homes.of(survivor)
    }
    return survivors.get(name)
  }

  // Takes flying-squid's player in. Its own login keeps nothing of who was here before.
  login (player) {
    const { serv, windows, daylight } = this.game
    const name = player._client.username
    const survivor = this.survivorOf(name)
    if (survivor.player) { player.kick(`${name} is connected already`); return }
    Object.assign(player, {
      type: 'player', username: name, uuid: player._client.uuid, op: false, crouching: false, gameMode: SURVIVAL, loadedChunks: {}, spawnPoint: survivor.position, position: survivor.position, survivor
    })
    survivor.player = player
    survivor.seen = new Set()
    survivor.centre = undefined
    survivor.movedAt = undefined
    serv.players.push(player)
    serv.uuidToPlayer[player.uuid] = player

    this.sendLogin(survivor)
    this.setPosition(survivor)
    this.look(survivor, FIRST_VIEW)
    windows.tellAll(survivor)
    daylight.tell(survivor)
    player.updateAndSpawn()
    serv.broadcast(`${name} joined the game`)
    // The last word: the client takes this for its spawn.
    survivor.sendHealth()
  }

  sendLogin (survivor) {
    const { serv, registry } = this.game
    survivor.send('login', {
      ...registry.loginPacket,
      entityId: survivor.player.id,
      gameMode: SURVIVAL,
      previousGameMode: -1,
      worldNames: [WORLD],
      worldName: WORLD,
      hashedSeed: serv.hashedSeed,
      maxPlayers: 20,
      viewDistance: this.view,
      simulationDistance: this.view,
      reducedDebugInfo: false,
      enableRespawnScreen: true,
      isDebug: false,
      isFlat: false
    })
    survivor.send('difficulty', { difficulty: ['peaceful', 'easy', 'normal', 'hard'].indexOf(this.game.difficulty), difficultyLocked: false })
    survivor.send('held_item_slot', { slot: survivor.held })
    survivor.send('spawn_position', { location: survivor.position.floored(), angle: 0 })
  }

  left (player) {
    const { survivor } = player
    const { serv, windows, sleep } = this.game
    player.disconnected = true
    delete serv.entities[player.id]
    if (survivor?.player !== player) return
    windows.close(survivor)
    sleep.wake(survivor)
    survivor.player = undefined
    survivor.digging = undefined
    survivor.eating = undefined
    survivor.sneaking = survivor.sprinting = false
    survivor.highest = undefined
    const seen = survivor.seen
    survivor.seen = new Set()
    for (const key of seen) this.forget(key)
    serv.players = serv.players.filter(other => other !== player)
    delete serv.uuidToPlayer[player.uuid]
    for (const other of serv.players) other.despawnEntities([player])
    serv.broadcast(`${survivor.name} left the game`)
  }

  // A column that nobody sees any more can be made again.
  forget (key) {
    if (this.game.connected().some(survivor => survivor.seen.has(key))) return
    const [cx, cz] = key.split(',').map(Number)
    this.game.serv.overworld.unloadColumn(cx, cz)
  }

  // Tells a client where it is; what it says of its position before it has heard that is not taken.
  setPosition (survivor) {
    survivor.awaits = ++this.teleports
    survivor.send('position', { ...survivor.position, yaw: survivor.yaw, pitch: survivor.pitch, flags: 0, teleportId: survivor.awaits, dismountVehicle: false })
  }

  confirmed (survivor, { teleportId }) {
    if (teleportId === survivor.awaits) survivor.awaits = undefined
  }

  teleport (survivor, position) {
    survivor.highest = undefined
    this.place(survivor, position)
    if (survivor.player) { this.look(survivor, FIRST_VIEW); this.setPosition(survivor) }
  }

  place (survivor, position) {
    survivor.position = position
    const { player } = survivor
    if (!player) return
    player.position = position
    player._writeOthersNearby('entity_teleport', { entityId: player.id, ...position, yaw: 0, pitch: 0, onGround: survivor.onGround })
    if (position.distanceTo(player.lastPositionPlayersUpdated) > 4) player.updateAndSpawn()
  }

  respawn (survivor) {
    survivor.send('respawn', { dimension: WORLD, worldName: WORLD, hashedSeed: this.game.serv.hashedSeed, gamemode: SURVIVAL, previousGamemode: NONE_BEFORE, isDebug: false, isFlat: false, copyMetadata: false, death: undefined })
    survivor.seen = new Set()
    survivor.centre = undefined
    survivor.player.nearbyEntities = []
    this.place(survivor, survivor.position)
    this.setPosition(survivor)
    this.look(survivor, FIRST_VIEW)
    survivor.player.updateAndSpawn()
    this.game.windows.tellAll(survivor)
    survivor.sendHealth()
  }

  // Sends the columns within `radius` that are not there yet, the nearest first; at most `most`.
  look (survivor, radius, most = Infinity) {
    const cx = Math.floor(survivor.position.x) >> 4
    const cz = Math.floor(survivor.position.z) >> 4
    if (survivor.centre !== columnKey(cx, cz)) {
      survivor.centre = columnKey(cx, cz)
      survivor.send('update_view_position', { chunkX: cx, chunkZ: cz })
      this.drop(survivor, cx, cz)
    }
    const missing = []
    for (let x = cx - radius; x <= cx + radius; x++) {
      for (let z = cz - radius; z <= cz + radius; z++) if (!survivor.seen.has(columnKey(x, z))) missing.push({ x, z, far: Math.hypot(x - cx, z - cz) })
    }
    missing.sort((a, b) => a.far - b.far)
    for (const { x, z } of missing.slice(0, most)) {
      survivor.seen.add(columnKey(x, z))
      this.sendColumn(survivor, x, z)
    }
  }

  // At once: flying-squid's own would come behind what is said next, and a client would spawn into nothing.
  sendColumn (survivor, x, z) {
    const column = this.game.blocks.column(x, z)
    survivor.send('map_chunk', { x, z, heightmaps: NO_HEIGHTS, chunkData: column.dump(), blockEntities: [], trustEdges: true, ...column.dumpLight() })
  }

  drop (survivor, cx, cz) {
    for (const key of survivor.seen) {
      const [x, z] = key.split(',').map(Number)
      if (Math.max(Math.abs(x - cx), Math.abs(z - cz)) <= this.view + 1) continue
      survivor.seen.delete(key)
      survivor.send('unload_chunk', { chunkX: x, chunkZ: z })
      this.forget(key)
    }
  }

  turn () {
    for (const survivor of this.game.connected()) this.look(survivor, this.view, 1)
  }
}

module.exports = { Connections }
