// A player: what it has and how it is, whether it is connected or not. The connection (flying-squid's player) comes and
// goes; everything that is to be there after a reconnect is here.
const { Vec3 } = require('vec3')
const { Slots } = require('../windows/slots')
const { pour } = require('../stacks')
const { armourPoints, afterArmour } = require('../../rules/combat')

const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i)
const BAR = range(36, 45)
const BAG = range(9, 36)
const WORN = range(5, 9)
const WHOLE = 20
const EYES = 1.62
// Ticks in which a second blow does nothing.
const SPARED = 10

class Survivor {
  constructor (game, name) {
    this.game = game
    this.name = name
    this.player = undefined
    this.slots = new Slots(46)
    this.cursor = null
    this.held = 0
    this.lastWindow = 0
    this.inventory = game.windows.inventoryOf(this)
    this.view = this.inventory
    this.position = new Vec3(0, 0, 0)
    this.yaw = 0
    this.pitch = 0
    this.home = undefined // the bed to wake in
    this.lastBlow = 0
    this.deeds = new Map() // "mined:oak_log" -> how often, since the world began
    this.had = new Set() // names of items, since the world began
    this.events = [] // that nobody has asked for yet
    this.revive()
  }

  revive () {
    this.health = WHOLE
    this.food = WHOLE
    this.saturation = 5
    this.exhaustion = 0
    this.air = 300
    this.burning = 0
    this.onGround = true
    this.highest = undefined
    this.sneaking = false
    this.sprinting = false
    this.sleepingSince = undefined
    this.eating = undefined
    this.digging = undefined
    this.sparedUntil = 0
  }

  send (name, fields) {
    this.player?._client.write(name, fields)
  }

  say (text) {
    this.player?.chat(text)
  }

  get heldSlot () { return BAR[this.held] }
  get heldItem () { return this.slots.get(this.heldSlot) }
  get eyes () { return this.position.offset(0, this.sneaking ? 1.27 : EYES, 0) }

  reaches (x, y, z) {
    return this.health > 0 && this.eyes.distanceTo(new Vec3(x + 0.5, y + 0.5, z + 0.5)) <= 6
  }

  setSlot (slot, item) {
    this.slots.set(slot, item)
    this.game.windows.tellOwn(this, slot)
    this.gearChanged()
  }

  // Uses up one of what is held; `instead` comes for it.
  spendHeld (instead) {
    const item = this.heldItem
    item.count--
    this.setSlot(this.heldSlot, item.count > 0 ? item : instead ?? null)
    if (instead && item.count > 0) this.receiveOrDrop(instead)
  }

  // As much as there is room for; returns what is left over.
  receive (item) {
    const changed = new Set()
    const left = pour(this.game.Item, this.slots, [...BAR, ...BAG], item, slot => changed.add(slot))
    for (const slot of changed) this.game.windows.tellOwn(this, slot)
    return left
  }

  receiveOrDrop (item) {
    const left = this.receive(item)
    if (left > 0) this.game.drops.throwFrom(this, this.game.copy(item, left))
  }

  wearHeld (amount) {
    const item = this.heldItem
    if (!item?.maxDurability || amount === 0) return
    item.durabilityUsed = (item.durabilityUsed ?? 0) + amount
    this.setSlot(this.heldSlot, item.durabilityUsed >= item.maxDurability ? null : item)
  }

  // What it holds may be another thing now: what was begun with it is broken off.
  gearChanged () {
    if (this.eating && this.eating.item !== this.heldItem) this.eating = undefined
  }

  sendHealth () {
    this.send('update_health', { health: Math.max(0, this.health), food: this.food, foodSaturation: this.saturation })
  }

  did (deed, name, count = 1) {
    const key = `${deed}:${name}`
    this.deeds.set(key, (this.deeds.get(key) ?? 0) + count)
  }

  tire (exhaustion) {
    this.exhaustion += exhaustion
  }

  // `kind` says by what; `past` names what armour does not keep off.
  hurt (damage, kind, { past = false } = {}) {
    if (!this.player || this.health <= 0 || damage <= 0 || this.game.tick < this.sparedUntil) return
    let rest = damage
    if (!past) {
      rest = afterArmour(damage, WORN.reduce((sum, slot) => sum + armourPoints(this.slots.get(slot)?.name), 0))
      this.wearArmour(damage)
    }
    this.sparedUntil = this.game.tick + SPARED
    this.health -= rest
    this.game.diary.note(this, { hurt: kind })
    this.tire(0.1)
    this.game.sleep.wake(this)
    this.sendHealth()
    this.send('entity_status', { entityId: this.player.id, entityStatus: 2 })
    if (this.health <= 0) this.game.deaths.die(this, kind)
  }

  wearArmour (damage) {
    for (const slot of WORN) {
      const item = this.slots.get(slot)
      if (!item?.maxDurability) continue
      item.durabilityUsed = (item.durabilityUsed ?? 0) + Math.max(1, Math.floor(damage / 4))
      this.setSlot(slot, item.durabilityUsed >= item.maxDurability ? null : item)
    }
  }

  heal (amount) {
    if (this.health <= 0 || this.health >= WHOLE) return
    this.health = Math.min(WHOLE, this.health + amount)
    this.sendHealth()
  }
}

module.exports = { Survivor, WHOLE }
