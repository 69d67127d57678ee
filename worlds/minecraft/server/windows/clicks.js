// What a click does to the slots of a view and to what the player holds at the cursor. Modes and buttons are those of
// the protocol: 0 pick and put, 1 shift, 2 number keys, 4 throw, 6 gather.
const { alike, pour } = require('../stacks')

const OUTSIDE = -999

function taken (game, item, count) {
  const part = game.copy(item, Math.min(count, item.count))
  item.count -= part.count
  return part
}

class Click {
  constructor (game, view) {
    this.game = game
    this.view = view
    this.survivor = view.survivor
    this.thrown = []
  }

  get cursor () { return this.survivor.cursor }
  set cursor (item) { this.survivor.cursor = item && item.count > 0 ? item : null }

  // Returns what was thrown away.
  run ({ slot, mouseButton, mode }) {
    const { view } = this
    if (slot === OUTSIDE) {
      if (mode === 0) this.throwCursor(mouseButton === 0)
    } else if (view.has(slot)) {
      if (mode === 0 && view.isResult(slot)) this.pickResult(slot)
      else if (mode === 0 && mouseButton === 0) this.left(slot)
      else if (mode === 0) this.right(slot)
      else if (mode === 1) this.shift(slot)
      else if (mode === 2) this.swap(slot, mouseButton)
      else if (mode === 4) this.throwFrom(slot, mouseButton === 1)
      else if (mode === 6) this.gather()
    }
    view.refresh()
    return this.thrown
  }

  throwCursor (whole) {
    const { cursor } = this
    if (!cursor) return
    this.thrown.push(taken(this.game, cursor, whole ? Infinity : 1))
    this.cursor = cursor
  }

  throwFrom (slot, whole) {
    const item = this.view.get(slot)
    if (!item || this.cursor) return
    const made = this.view.isResult(slot) && slot === 0
    const part = taken(this.game, item, whole || made ? Infinity : 1)
    this.thrown.push(part)
    this.view.set(slot, item)
    if (this.view.isResult(slot)) this.view.tookResult(part)
  }

  pickResult (slot) {
    const { view } = this
    const result = view.get(slot)
    if (!result) return
    const held = this.cursor
    if (held && (!alike(this.game.Item, held, result) || held.count + result.count > held.stackSize)) return
    if (held) held.count += result.count
    else this.cursor = this.game.copy(result)
    view.set(slot, null)
    view.tookResult(result)
  }

  left (slot) {
    const { view, cursor } = this
    const there = view.get(slot)
    if (cursor && !view.takes(slot, cursor)) return
    if (cursor && there && alike(this.game.Item, cursor, there)) {
      there.count += taken(this.game, cursor, there.stackSize - there.count).count
      this.cursor = cursor
    } else {
      view.set(slot, cursor)
      this.cursor = there
    }
  }

  right (slot) {
    const { view, cursor } = this
    const there = view.get(slot)
    if (!cursor) {
      if (!there) return
      this.cursor = taken(this.game, there, Math.ceil(there.count / 2))
      view.set(slot, there)
    } else if (!view.takes(slot, cursor)) {
      // stays at the cursor
    } else if (!there) {
      view.set(slot, taken(this.game, cursor, 1))
      this.cursor = cursor
    } else if (!alike(this.game.Item, cursor, there)) {
      view.set(slot, cursor)
      this.cursor = there
    } else if (there.count < there.stackSize) {
      there.count++
      cursor.count--
      this.cursor = cursor
    }
  }

  // A result is made again and again while there is room and something to make it of.
  shift (slot) {
    const { view } = this
    for (;;) {
      const item = view.get(slot)
      if (!item) return
      const targets = view.shiftTargets(slot).filter(i => view.takes(i, item))
      if (!view.isResult(slot) || slot !== 0) {
        const left = pour(this.game.Item, view, targets, item)
        if (view.isResult(slot) && left < item.count) view.tookResult(this.game.copy(item, item.count - left))
        item.count = left
        view.set(slot, item)
        return
      }
      if (this.roomFor(targets, item) < item.count) return
      pour(this.game.Item, view, targets, this.game.copy(item))
      view.set(slot, null)
      view.tookResult(item)
      if (view.get(slot)?.type !== item.type) return
    }
  }

  roomFor (targets, item) {
    let room = 0
    for (const i of targets) {
      const there = this.view.get(i)
      if (!there) room += item.stackSize
      else if (alike(this.game.Item, there, item)) room += there.stackSize - there.count
    }
    return room
  }

  swap (slot, number) {
    const { view } = this
    if (view.isResult(slot) || number < 0 || number > 8) return
    const other = view.bar[number]
    const there = view.get(slot)
    const held = view.get(other)
    if (held && !view.takes(slot, held)) return
    view.set(slot, held)
    view.set(other, there)
  }

  gather () {
    const { view, cursor } = this
    if (!cursor) return
    for (let i = 0; i < view.size && cursor.count < cursor.stackSize; i++) {
      const there = view.get(i)
      if (!there || view.isResult(i) || !alike(this.game.Item, there, cursor)) continue
      cursor.count += taken(this.game, there, cursor.stackSize - cursor.count).count
      view.set(i, there)
    }
  }
}

module.exports = { Click }
