// What grows, without a server: which sections of a column are looked at.
const test = require('node:test')
const assert = require('node:assert')
const registry = require('prismarine-registry')(require('../version'))
const Column = require('prismarine-chunk')(registry)
const { Growth } = require('../server/growth')

const growth = new Growth({ registry })
const stateOf = name => registry.blocksByName[name].defaultState

// A column with these states in its lowest section, one after another.
function columnOf (states) {
  const column = new Column()
  states.forEach((state, i) => column.setBlockStateId({ x: i & 15, y: -64 + (i >> 8), z: (i >> 4) & 15 }, state))
  return column
}

test('a section is looked at where something in it grows', () => {
  assert.equal(growth.mayGrow(columnOf([]).sections[0]), false)
  assert.equal(growth.mayGrow(columnOf([stateOf('stone'), stateOf('dirt')]).sections[0]), false)
  assert.equal(growth.mayGrow(columnOf([stateOf('stone'), stateOf('wheat')]).sections[0]), true)
  assert.equal(growth.mayGrow(new Column.section({ singleValue: stateOf('sugar_cane') })), true)
})

test('so is one of more states than it can list', () => {
  const many = Array.from({ length: 400 }, (_, i) => registry.blocksByName.note_block.minStateId + i)
  const [section] = columnOf(many).sections
  assert.equal(section.palette, undefined)
  assert.equal(growth.mayGrow(section), true)
})
