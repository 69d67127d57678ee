// How a block is put down: which way it faces, on which half, along which axis, and what it can stand on.

const names = ['south', 'west', 'north', 'east']
const opposite = { south: 'north', north: 'south', west: 'east', east: 'west' }
// By the protocol's number of a face: down, up, north, south, west, east.
const faces = ['down', 'up', 'north', 'south', 'west', 'east']
const axes = ['y', 'y', 'z', 'z', 'x', 'x']
const steps = [[0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1], [-1, 0, 0], [1, 0, 0]]

// Where one looks who has turned so many degrees.
const lookOf = yaw => names[((Math.floor(yaw / 90 + 0.5) % 4) + 4) % 4]

const awayFromPlayer = /^(furnace|smoker|blast_furnace|chest|trapped_chest|carved_pumpkin|jack_o_lantern|loom|stonecutter|beehive|ender_chest|lectern)$|_glazed_terracotta$/
const alongPlayer = /_stairs$|_door$|_bed$|_fence_gate$|^campfire$|_trapdoor$/
const onWalls = { torch: 'wall_torch', soul_torch: 'soul_wall_torch', redstone_torch: 'redstone_wall_torch' }
const itemBlocks = { wheat_seeds: 'wheat', beetroot_seeds: 'beetroots', carrot: 'carrots', potato: 'potatoes', sweet_berries: 'sweet_berry_bush', redstone: 'redstone_wire', string: 'tripwire', melon_seeds: 'melon_stem', pumpkin_seeds: 'pumpkin_stem', cocoa_beans: 'cocoa' }

// The block that an item becomes, by name; undefined where it becomes none.
function blockOf (registry, item, face) {
  if (onWalls[item] && face >= 2) return onWalls[item]
  if (/_sign$/.test(item) && face >= 2) return item.replace('_sign', '_wall_sign')
  const name = itemBlocks[item] ?? item
  return registry.blocksByName[name] ? name : undefined
}

// `cursorY`: how high on the face it was clicked, 0 to 1.
function propertiesFor (name, { face, yaw, cursorY }) {
  const look = lookOf(yaw)
  const half = face === 0 || (face > 1 && cursorY > 0.5) ? 'top' : 'bottom'
  const properties = { axis: axes[face] }
  if (awayFromPlayer.test(name)) properties.facing = opposite[look]
  else if (alongPlayer.test(name)) properties.facing = name.endsWith('_trapdoor') ? (face >= 2 ? faces[face] : opposite[look]) : look
  else if (/wall_(torch|sign)$|^ladder$/.test(name)) properties.facing = faces[face]
  else if (name === 'barrel') properties.facing = faces[face]
  if (/_stairs$|_trapdoor$/.test(name)) properties.half = half
  if (name.endsWith('_slab')) properties.type = half
  if (/_button$|^lever$/.test(name)) Object.assign(properties, face === 0 ? { face: 'ceiling', facing: look } : face === 1 ? { face: 'floor', facing: look } : { face: 'wall', facing: faces[face] })
  if (name.endsWith('_leaves')) properties.persistent = true
  return properties
}

const stepOf = { south: [0, 1], west: [-1, 0], north: [0, -1], east: [1, 0] }

module.exports = { blockOf, propertiesFor, lookOf, steps, stepOf, opposite }
