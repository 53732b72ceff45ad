import { z } from 'zod'
import { below, readJson } from '../../tools/service-answer.ts'
import { ToolFailure } from '../../tools/types.ts'
import { OUTPUT_PLACES, type PlacedText } from '../types.ts'
import type { Finding, JudgeService } from './types.ts'

export type LlamaGuardSettings = Readonly<{
  /** The address of an OpenAI-compatible service, with or without `/v1` at its end. */
  baseUrl: string
  apiKey?: string | undefined
  model: string
  /** The codes of the categories that count, such as `S1`; all when absent. */
  categories?: readonly string[] | undefined
  /**
   * What puts the text into the model's prompt: the gateway (the default; the service passes it on as it is, or within
   * its own template), or the service by its chat template alone, with the model's own categories.
   */
  template?: 'gateway' | 'server' | undefined
}>

/** The categories of Llama Guard 3 and 4. Source: Meta, "Llama Guard 3", after the MLCommons taxonomy. */
const LLAMA_GUARD_CATEGORIES: Readonly<Record<string, string>> = {
  S1: 'Violent Crimes',
  S2: 'Non-Violent Crimes',
  S3: 'Sex Crimes',
  S4: 'Child Exploitation',
  S5: 'Defamation',
  S6: 'Specialized Advice',
  S7: 'Privacy',
  S8: 'Intellectual Property',
  S9: 'Indiscriminate Weapons',
  S10: 'Hate',
  S11: 'Self-Harm',
  S12: 'Sexual Content',
  S13: 'Elections',
  S14: 'Code Interpreter Abuse',
}

/** The model's context is 8,192 tokens, and a code unit may be more than one. */
const PIECES = { longest: 4_000, overlap: 200, most: 32 }
/** Enough for all codes. */
const MOST_TOKENS = 100

const isOutput = ({ place }: PlacedText): boolean => OUTPUT_PLACES.includes(place)

/** A text must not end its part of the prompt, nor begin another one. */
const contained = (text: string): string =>
  text
    .replace(/<(?=\s{0,8}\/?\s{0,8}(?:begin|end)\b)/gi, '(')
    .replaceAll('<|', '< |')
    .replace(/^([ \t]*)(user|agent|assistant)([ \t]*):/gim, '$1$2$3 -')

/** The prompt in the form that Meta documents for Llama Guard 3. */
const promptOf = (piece: PlacedText, codes: readonly string[]): string => {
  const role = isOutput(piece) ? 'Agent' : 'User'
  const categories = codes.map(code => `${code}: ${LLAMA_GUARD_CATEGORIES[code]}.`).join('\n')
  return `Task: Check if there is unsafe content in '${role}' messages in conversations according our safety policy with the below categories.

<BEGIN UNSAFE CONTENT CATEGORIES>
${categories}
<END UNSAFE CONTENT CATEGORIES>

<BEGIN CONVERSATION>

${role}: ${contained(piece.text)}

<END CONVERSATION>

Provide your safety assessment for ONLY THE LAST ${role} message in the above conversation:
 - First line must read 'safe' or 'unsafe'.
 - If unsafe, a second line must include a comma-separated list of violated categories.`
}

const messagesOf = (piece: PlacedText, codes: readonly string[], template: string): readonly object[] => {
  if (template === 'gateway') return [{ role: 'user', content: promptOf(piece, codes) }]
  const content = contained(piece.text)
  // Its template wants a user's message first.
  return isOutput(piece)
    ? [
        { role: 'user', content: 'Continue.' },
        { role: 'assistant', content },
      ]
    : [{ role: 'user', content }]
}

const answerSchema = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
})

const ANSWER = /^(?:safe|unsafe(?:\s*\n\s*(S\d{1,2}(?:\s*,\s*S\d{1,2})*))?)$/i

const slugOf = (code: string): string =>
  (LLAMA_GUARD_CATEGORIES[code] ?? code).toLowerCase().replaceAll(' ', '-')

/** Throws a ToolFailure for anything but the two documented answers: it must never pass for `safe`. */
const findingsIn = (content: string, counted: readonly string[] | undefined): readonly Finding[] => {
  const answer = content.trim()
  const match = ANSWER.exec(answer)
  if (!match) throw new ToolFailure('malformed', 'The service answered in an unexpected form.')
  if (answer.toLowerCase() === 'safe') return []
  const [, list] = match
  if (list === undefined) return [{ kind: 'unsafe', rule: 'unsafe', score: 1 }]
  const codes = [...new Set(list.toUpperCase().split(/\s*,\s*/))]
  return codes
    .filter(code => counted?.includes(code) ?? true)
    .map(code => ({ kind: slugOf(code), rule: code, score: 1 }))
}

/** Llama Guard through any OpenAI-compatible service. Source: Meta, "Llama Guard 3", prompt format. */
export const llamaGuard = (settings: LlamaGuardSettings): JudgeService => {
  const { baseUrl, apiKey, model, categories, template = 'gateway' } = settings
  const codes = categories ?? Object.keys(LLAMA_GUARD_CATEGORIES)
  return {
    pieces: PIECES,
    mostPerRequest: 1,
    dependsOnPlace: true,
    request: ([piece]) => ({
      method: 'POST',
      url: below(baseUrl.replace(/\/v1\/?$/, ''), '/v1/chat/completions'),
      headers: {
        'content-type': 'application/json',
        ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify({
        model,
        messages: piece ? messagesOf(piece, codes, template) : [],
        temperature: 0,
        max_tokens: MOST_TOKENS,
        stream: false,
      }),
    }),
    findings: answer => {
      const [choice] = readJson(answerSchema, answer).choices
      return [findingsIn(choice?.message.content ?? '', categories)]
    },
  }
}
