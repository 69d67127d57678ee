// What flying-squid asks for by the name of a file: its generator of columns.
const { generator } = require('../world/column')

module.exports = ({ registry, worldSeed }) => generator(registry, worldSeed)
