// Creatures: how large, how strong, how fast (blocks a tick), and what they are like.
const passive = { speed: 0.07, damage: 0, hostile: false, height: 0.9, width: 0.9 }
const hostile = { speed: 0.11, damage: 3, hostile: true, height: 1.95, width: 0.6, health: 20, reach: 1.6, sees: 24 }

module.exports = {
  cow: { ...passive, health: 10, height: 1.4, food: 'wheat' },
  sheep: { ...passive, health: 8, height: 1.3, food: 'wheat' },
  pig: { ...passive, health: 10, food: 'carrot' },
  chicken: { ...passive, health: 4, height: 0.7, width: 0.4, food: 'wheat_seeds' },
  zombie: { ...hostile, burns: true },
  skeleton: { ...hostile, height: 1.99, damage: 3, reach: 12, pause: 40, shoots: true, burns: true },
  spider: { ...hostile, health: 16, height: 0.9, width: 1.4, damage: 2, speed: 0.13, climbs: true, calmByDay: true },
  creeper: { ...hostile, height: 1.7, damage: 18, explodes: true }
}
