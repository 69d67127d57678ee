// Furnaces, smokers and blast furnaces: what lies in each, what burns, how far it is.
const { fuelTicks } = require('../rules/fuels')
const { smeltedIn, kinds } = require('../rules/smelting')
const { Slots } = require('./windows/slots')

const INPUT = 0
const FUEL = 1
const OUTPUT = 2
// Numbers of the protocol's bars of a furnace's window.
const bars = { burning: 0, burnsFor: 1, cooked: 2, cooksFor: 3 }
const keyOf = (x, y, z) => `${x},${y},${z}`

class Furnace {
  constructor (game, kind, x, y, z) {
    Object.assign(this, { game, kind, x, y, z, slots: new Slots(3), burning: 0, burnsFor: 0, cooked: 0 })
    this.cooksFor = kinds[kind].ticks
  }

  // What would come of the input, if there is room for it.
  coming () {
    const input = this.slots.get(INPUT)
    const name = input && smeltedIn(this.kind, input.name)
    const output = this.slots.get(OUTPUT)
    if (!name || (output && (output.name !== name || output.count >= output.stackSize))) return undefined
    return name
  }

  turn () {
    const name = this.coming()
    let changed = false
    const wasLit = this.burning > 0
    if (this.burning > 0) this.burning--
    if (this.burning === 0 && name) changed = this.light()
    if (this.burning > 0 && name) {
      if (++this.cooked >= this.cooksFor) {
        this.finish(name)
        changed = true
      }
    } else {
      this.cooked = Math.max(0, this.cooked - 2)
    }
    const isOther = wasLit !== this.burning > 0
    if (isOther) this.glow()
    if (changed || isOther || (this.burning > 0 && this.game.tick % 10 === 0)) this.tellAll(changed)
  }

  light () {
    const fuel = this.slots.get(FUEL)
    const ticks = fuel ? fuelTicks(fuel.name) : 0
    if (ticks === 0) return false
    this.burning = this.burnsFor = ticks
    if (fuel.name === 'lava_bucket') this.slots.set(FUEL, this.game.item('bucket'))
    else { fuel.count--; this.slots.set(FUEL, fuel) }
    return true
  }

  finish (name) {
    this.cooked = 0
    const input = this.slots.get(INPUT)
    input.count--
    this.slots.set(INPUT, input)
    const output = this.slots.get(OUTPUT)
    if (output) output.count++
    else this.slots.set(OUTPUT, this.game.item(name))
  }

  glow () {
    const { blocks } = this.game
    const state = blocks.stateAt(this.x, this.y, this.z)
    const kind = this.game.registry.blocksByStateId[state]
    if (kind.name === this.kind) blocks.set(this.x, this.y, this.z, blocks.stateOf(kind.name, { ...blocks.propertiesOf(state), lit: this.burning > 0 }))
  }

  tell (survivor) {
    for (const [name, property] of Object.entries(bars)) survivor.send('craft_progress_bar', { windowId: survivor.view.id, property, value: this[name] })
  }

  tellAll (slotsChanged) {
    for (const survivor of this.game.connected()) {
      if (survivor.view.own !== this.slots) continue
      if (slotsChanged) for (let i = 0; i < 3; i++) this.game.windows.tellSlot(survivor, i)
      this.tell(survivor)
    }
  }
}

class Furnaces {
  constructor (game) {
    this.game = game
    this.all = new Map()
  }

  at (kind, x, y, z) {
    const key = keyOf(x, y, z)
    if (!this.all.has(key)) this.all.set(key, new Furnace(this.game, kind, x, y, z))
    return this.all.get(key)
  }

  // Its contents, which are nowhere any more.
  remove (x, y, z) {
    const furnace = this.all.get(keyOf(x, y, z))
    this.all.delete(keyOf(x, y, z))
    return furnace ? furnace.slots.whole() : []
  }

  turn () {
    for (const furnace of this.all.values()) furnace.turn()
  }
}

module.exports = { Furnaces }
