// Death and what comes after it. flying-squid takes a request to respawn for nothing in this version, where the packet
// names it by a word; here it is answered.
const words = {
  fall: 'hit the ground too hard', drowning: 'drowned', lava: 'tried to swim in lava', fire: 'burned to death', starving: 'starved to death', void: 'fell out of the world', cactus: 'was pricked to death', blow: 'was slain', blast: 'was blown up'
}

class Deaths {
  constructor (game) {
    this.game = game
  }

  die (survivor, kind) {
    const { game } = this
    game.windows.shut(survivor)
    game.windows.close(survivor)
    survivor.digging = undefined
    survivor.eating = undefined
    if (!game.rules.keepInventory) {
      for (let slot = 0; slot < survivor.slots.length; slot++) {
        const item = survivor.slots.get(slot)
        if (item) game.drops.spill(survivor.position.offset(0, 1, 0), item)
        survivor.slots.set(slot, null)
      }
      game.windows.tellAll(survivor)
    }
    const message = `${survivor.name} ${words[kind] ?? `was slain by ${kind}`}`
    survivor.send('death_combat_event', { playerId: survivor.player.id, entityId: -1, message: JSON.stringify({ text: message }) })
    game.diary.note(survivor, { died: message })
    game.serv.broadcast(message)
  }

  respawn (survivor) {
    if (survivor.health > 0) return
    survivor.revive()
    survivor.position = this.game.homes.of(survivor)
    this.game.connections.respawn(survivor)
  }
}

module.exports = { Deaths }
