// The command line of the server: --name value, each with its bounds.
const flags = {
  seed: { fallback: 1, low: 0, high: Number.MAX_SAFE_INTEGER, whole: true },
  clock: { fallback: 1, low: 0.1, high: 50 },
  port: { fallback: 0, low: 0, high: 65535, whole: true },
  view: { fallback: 4, low: 2, high: 10, whole: true },
  difficulty: { fallback: 'easy', oneOf: ['peaceful', 'easy', 'normal', 'hard'] }
}

class ArgumentError extends Error {}

function valueOf (name, flag, text) {
  if (flag.oneOf) {
    if (!flag.oneOf.includes(text)) throw new ArgumentError(`--${name} ${text}: one of ${flag.oneOf.join(', ')}`)
    return text
  }
  const value = Number(text)
  if (text.trim() === '' || !(value >= flag.low && value <= flag.high) || (flag.whole && !Number.isInteger(value))) {
    throw new ArgumentError(`--${name} ${text}: ${flag.whole ? 'a whole number' : 'a number'} from ${flag.low} to ${flag.high}`)
  }
  return value
}

// Throws ArgumentError, whose message is one line.
function parseArguments (words) {
  const options = Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, flag.fallback]))
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i].replace(/^--/, '')
    if (!words[i].startsWith('--') || !Object.hasOwn(flags, name)) {
      throw new ArgumentError(`${words[i]}: no such option; there are --${Object.keys(flags).join(', --')}`)
    }
    if (i + 1 === words.length) throw new ArgumentError(`--${name}: a value is missing`)
    options[name] = valueOf(name, flags[name], words[i + 1])
  }
  return options
}

module.exports = { parseArguments, ArgumentError }
