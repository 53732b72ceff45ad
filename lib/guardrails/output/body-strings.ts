/** What a body says, each text once, and how it is written with others in place of some of them. */
export type BodyTexts = Readonly<{
  texts: readonly string[]
  /** Called once. */
  withTexts: (changed: ReadonlyMap<string, string>) => Promise<string>
}>

/** Members that hold names, and no text of an answer. */
const NAMES: ReadonlySet<string> = new Set([
  'id',
  'object',
  'type',
  'model',
  'task',
  'language',
  'finish_reason',
  'system_fingerprint',
])

/** Members that say a text once more, word by word: where something of a body is replaced, they are emptied. */
const WORDS: ReadonlySet<string> = new Set(['word', 'token', 'tokens'])

/** What a string of a body is, by the name of its member. */
export const kindOfString = (member: string): 'text' | 'word' | 'name' => {
  if (WORDS.has(member)) return 'word'
  return NAMES.has(member) ? 'name' : 'text'
}
