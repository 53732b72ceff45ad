import { hash } from 'node:crypto'
import { type ContentPart, textOf } from '../llm/message.ts'
import type { Call, Message } from '../llm/types.ts'

/** From this length on, vendors cache a prompt's beginning. Source: OpenAI, Anthropic, Gemini. */
export const LEAST_CACHED_TOKENS = 1_024
const CHARACTERS_OF_A_TOKEN = 4
const LEAST_LENGTH = LEAST_CACHED_TOKENS * CHARACTERS_OF_A_TOKEN
/** Characters of a longer beginning that are compared. */
const MOST_LENGTH = 65_536
/** Longer bodies are not looked at: that would hold up other requests. */
const LONGEST_BODY = 1_048_576
const DIGEST_LENGTH = 22

/** The beginning of a prompt, by which repetitions are recognised. `tokens` is an estimate from its length. */
export type PromptPrefix = Readonly<{ digest: string; tokens: number }>

const nameOf = (part: ContentPart): string => ('url' in part && part.url ? part.url.slice(0, 256) : part.type)

const textOfMessage = ({ role, content }: Message): string => {
  const media = typeof content === 'string' ? [] : content.filter(({ type }) => type !== 'text').map(nameOf)
  return [role, ...media, textOf(content)].join('\n')
}

const isInstruction = ({ role }: Message): boolean => role === 'system' || role === 'developer'

const joined = (texts: Iterable<string>, length: number): string => {
  let all = ''
  for (const text of texts) {
    all += `${text}\n`
    if (all.length >= length) return all.slice(0, length)
  }
  return all
}

/** The tools and instructions; where these are short, as much of the prompt as a vendor would cache. */
const beginningOf = ({ parameters, messages }: Call): string => {
  const tools = (parameters?.tools ?? []).map(tool => JSON.stringify(tool))
  const first = messages.findIndex(message => !isInstruction(message))
  const instructions = messages.slice(0, Math.max(first, 0)).map(textOfMessage)
  const fixed = joined([...tools, ...instructions], MOST_LENGTH)
  return fixed.length >= LEAST_LENGTH
    ? fixed
    : joined([...tools, ...messages.map(textOfMessage)], LEAST_LENGTH)
}

/** Absent where the prompt is too short for a vendor's cache, or too long to be compared. */
export const promptPrefix = (call: Call): PromptPrefix | undefined => {
  if (call.passthrough || (call.raw && call.raw.json.length > LONGEST_BODY)) return undefined
  const text = beginningOf(call)
  if (text.length < LEAST_LENGTH) return undefined
  return {
    digest: hash('sha256', text, 'base64url').slice(0, DIGEST_LENGTH),
    tokens: Math.floor(text.length / CHARACTERS_OF_A_TOKEN),
  }
}
