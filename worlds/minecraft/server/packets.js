// Which packet of a client goes where. flying-squid's own handlers of these are taken off: they compare words with
// numbers in this version, measure by the wall clock, check no reach, or know nothing of survival.

const sneaks = { start_sneaking: true, stop_sneaking: false, 0: true, 1: false }
const sprints = { start_sprinting: true, stop_sprinting: false, 3: true, 4: false }
// Of block_dig's status, what is not digging.
const DROP_STACK = 3
const DROP_ONE = 4
const RELEASE = 5
const SWAP_HANDS = 6
const ATTACK = 1
const OTHER_HAND = 45

function throwHeld (game, survivor, whole) {
  const item = survivor.heldItem
  if (!item) return
  const part = game.copy(item, whole ? item.count : 1)
  item.count -= part.count
  survivor.setSlot(survivor.heldSlot, item)
  game.drops.throwFrom(survivor, part)
}

function handlers (game, survivorOf) {
  const moved = packet => game.movement.moved(survivorOf(), packet)
  return {
    teleport_confirm: packet => game.connections.confirmed(survivorOf(), packet),
    position: moved,
    position_look: moved,
    look: moved,
    flying: moved,
    block_dig (packet) {
      const survivor = survivorOf()
      if (packet.status === DROP_STACK || packet.status === DROP_ONE) throwHeld(game, survivor, packet.status === DROP_STACK)
      else if (packet.status === RELEASE) game.using.release(survivor)
      else if (packet.status === SWAP_HANDS) {
        const held = survivor.heldItem
        survivor.setSlot(survivor.heldSlot, survivor.slots.get(OTHER_HAND))
        survivor.setSlot(OTHER_HAND, held)
      } else game.digging.packet(survivor, packet)
    },
    block_place: packet => game.placing.packet(survivorOf(), packet),
    use_item: () => game.using.packet(survivorOf()),
    use_entity ({ target, mouse }) {
      if (mouse === ATTACK) game.mobs.strike(survivorOf(), target)
      else if (mouse === 0) game.mobs.use(survivorOf(), target)
    },
    window_click: packet => game.windows.click(survivorOf(), packet),
    close_window: ({ windowId }) => { if (windowId === survivorOf().view.id) game.windows.close(survivorOf()) },
    held_item_slot ({ slotId }) {
      if (!(slotId >= 0 && slotId <= 8)) return
      survivorOf().held = slotId
      survivorOf().gearChanged()
    },
    client_command ({ actionId }) {
      if (actionId === 'perform_respawn' || actionId === 0) game.deaths.respawn(survivorOf())
    },
    entity_action ({ actionId }) {
      const survivor = survivorOf()
      if (Object.hasOwn(sneaks, actionId)) survivor.sneaking = sneaks[actionId]
      else if (Object.hasOwn(sprints, actionId)) survivor.sprinting = sprints[actionId]
      else if (actionId === 'stop_sleeping' || actionId === 2) game.sleep.wake(survivor)
    },
    set_creative_slot () {}
  }
}

// Nothing that a client sends may end the server: what it sent is named in the log, and the client goes.
function listen (game, player) {
  const client = player._client
  for (const [name, handle] of Object.entries(handlers(game, () => player.survivor))) {
    client.removeAllListeners(name)
    client.on(name, packet => {
      if (!player.survivor?.player) return
      try {
        handle(packet)
      } catch (error) {
        console.error(`packet ${name}: ${error.stack}`)
        player.kick(`${name}: ${error.message}`)
      }
    })
  }
}

module.exports = { listen }
