const LEAST_KINDS = 5
const LONGEST_REPEATED = 4

/** Texts that examples and guides use in place of a secret. */
const PLACEHOLDER =
  /change(?:me|this|it)|replace(?:me|this)|placeholder|(?:your|my|some|insert)(?:own|secret|token|key|pepper|admintoken)/
/** What is left of a default once its digits are gone, once or repeated. */
const DEFAULT = /^(?:secret|password|passphrase|admin|default|letmein|qwerty|supersecret|topsecret)+$/

/** Whether each character follows the one before it, as in `0123456789` and `abcdef`. */
const isSequence = (text: string): boolean =>
  [...text].every((character, index) => {
    const before = text.charCodeAt(index - 1)
    const step = character.charCodeAt(0) - before
    return (
      index === 0 || step === 1 || (step === -9 && character === '0') || (step === -25 && character === 'a')
    )
  })

const isRepeated = (text: string): boolean => {
  for (let length = 1; length <= LONGEST_REPEATED; length += 1)
    if (text === text.slice(0, length).repeat(text.length).slice(0, text.length)) return true
  return false
}

/** Why a secret can be guessed; undefined where nothing is known against it, or there is none. */
export const weakness = (secret: string): string | undefined => {
  if (secret === '') return undefined
  const text = secret.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  if (new Set(secret).size < LEAST_KINDS || isRepeated(secret)) return 'repeats the same characters'
  if (PLACEHOLDER.test(text) || DEFAULT.test(text.replaceAll(/\d/g, ''))) return 'is a placeholder'
  return isSequence(text) ? 'is a sequence' : undefined
}
