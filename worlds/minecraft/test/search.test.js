// The pathfinder's search by the bot's clock, which is the whole process's.
const test = require('node:test')
const assert = require('node:assert')
const { EventEmitter } = require('node:events')
const { setTimeout: pause } = require('node:timers/promises')
const { scaleClock, followWorld, realNow } = require('../bot/clock')

test('a search for a way ends its turn by the clock, though the world has come to no further tick', async () => {
  scaleClock(10)
  require('../bot/connect')
  const AStar = require('mineflayer-pathfinder/lib/astar')
  const world = Object.assign(new EventEmitter(), { time: { age: 7 } })
  followWorld(world)
  world.emit('time')
  await pause(500) // the bot's clock is as far ahead as it may be, and stands
  const stands = Date.now()
  await pause(50)
  assert.equal(Date.now(), stands)
  const end = realNow() + 5000
  const endless = { getNeighbors: ({ x }) => {
    if (realNow() > end) throw new Error('it goes on')
    return [{ x: x + 1, z: 0, hash: `${x + 1}`, cost: 1 }]
  } }
  const search = new AStar({ x: 0, z: 0, hash: '0' }, endless, { heuristic: () => 1, isEnd: () => false }, 3000, 40)
  assert.equal(search.compute().status, 'partial')
  assert.equal(Date.now(), stands)
})
