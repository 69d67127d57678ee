// A command line of --name value, each with its bounds: { fallback, low, high, whole }, or { fallback, oneOf }, or
// { fallback, text, means }, where `text` is a pattern
// and `means` says it in words. Without a fallback it has to be given.

class ArgumentError extends Error {}

function valueOf (name, flag, text) {
  if (flag.oneOf) {
    if (!flag.oneOf.includes(text)) throw new ArgumentError(`--${name} ${text}: one of ${flag.oneOf.join(', ')}`)
    return text
  }
  if (flag.text) {
    if (!flag.text.test(text)) throw new ArgumentError(`--${name} ${text}: ${flag.means}`)
    return text
  }
  const value = Number(text)
  if (text.trim() === '' || !(value >= flag.low && value <= flag.high) || (flag.whole && !Number.isInteger(value))) {
    throw new ArgumentError(`--${name} ${text}: ${flag.whole ? 'a whole number' : 'a number'} from ${flag.low} to ${flag.high}`)
  }
  return value
}

// Throws ArgumentError, whose message is one line.
function parseArguments (flags, words) {
  const options = Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, flag.fallback]))
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i].replace(/^--/, '')
    if (!words[i].startsWith('--') || !Object.hasOwn(flags, name)) {
      throw new ArgumentError(`${words[i]}: no such option; there are --${Object.keys(flags).join(', --')}`)
    }
    if (i + 1 === words.length) throw new ArgumentError(`--${name}: a value is missing`)
    options[name] = valueOf(name, flags[name], words[i + 1])
  }
  const missing = Object.keys(options).find(name => options[name] === undefined)
  if (missing) throw new ArgumentError(`--${missing}: a value is missing`)
  return options
}

// The same for a process: what is wrong is said on stderr, and ends it with 2.
function argumentsOf (flags, program) {
  try {
    return parseArguments(flags, process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error
    process.stderr.write(`${program}: ${error.message}\n`)
    return process.exit(2)
  }
}

module.exports = { parseArguments, argumentsOf }
