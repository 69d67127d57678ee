// bot.pvp, as mineflayer's plugin of that name has it: attack(entity) goes after it and strikes whenever a blow is at
// its strongest, until it is gone or stop() is called.
const { goals } = require('mineflayer-pathfinder')

const RANGE = 3 // blocks
const swords = /_sword$/
// Seconds between two blows.
const pauseWith = item => swords.test(item?.name) ? 0.65 : /_axe$/.test(item?.name) ? 1.1 : 0.55

function inject (bot) {
  let timer

  function stop () {
    clearTimeout(timer)
    if (!bot.pvp.target) return
    bot.pvp.target = undefined
    bot.pathfinder.setGoal(null)
    bot.emit('stoppedAttacking')
  }

  async function strike () {
    const { target } = bot.pvp
    if (!target || !bot.entities[target.id] || !target.isValid) { stop(); return }
    if (bot.entity.position.distanceTo(target.position) <= RANGE) {
      bot.lookAt(target.position.offset(0, target.height * 0.8, 0), true).catch(() => {})
      bot.attack(target)
    }
    timer = setTimeout(strike, pauseWith(bot.heldItem) * 1000)
  }

  async function attack (entity) {
    if (!entity?.position) throw new Error('attack: there is no such creature')
    stop()
    bot.pvp.target = entity
    bot.pathfinder.setGoal(new goals.GoalFollow(entity, 1.5), true)
    strike()
  }

  bot.pvp = { target: undefined, attack, stop, forceStop: stop }
  bot.on('death', stop)
}

module.exports = inject
