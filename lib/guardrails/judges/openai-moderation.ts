import { z } from 'zod'
import { below, readJson } from '../../tools/service-answer.ts'
import { ToolFailure } from '../../tools/types.ts'
import type { Finding, JudgeService } from './types.ts'

export type OpenAiModerationSettings = Readonly<{
  /** The service's address, with or without `/v1` at its end. */
  baseUrl: string
  apiKey?: string | undefined
  model?: string | undefined
  /** Only these count; all of the model when absent. */
  categories?: readonly string[] | undefined
  /** The score from which a category counts, by its name; for others the service decides. */
  thresholds?: Readonly<Record<string, number>> | undefined
}>

const MODEL = 'omni-moderation-latest'
/** 8,000 code units are at most 24 kB. */
const PIECES = { longest: 8_000, overlap: 200, most: 32 }
const MOST_PER_REQUEST = 16

const answerSchema = z.object({
  results: z.array(
    z.object({
      categories: z.record(z.string().max(64), z.boolean().nullable()),
      category_scores: z.record(z.string().max(64), z.number().min(0).max(1).nullable()),
    }),
  ),
})

type Result = z.output<typeof answerSchema>['results'][number]

const malformed = (): ToolFailure =>
  new ToolFailure('malformed', 'The service answered in an unexpected form.')

const findingsIn = (
  { categories, category_scores: scores }: Result,
  { categories: wanted, thresholds = {} }: OpenAiModerationSettings,
): readonly Finding[] => {
  const configured = [...(wanted ?? []), ...Object.keys(thresholds)]
  // A name that the model does not have would let everything pass unnoticed.
  if (configured.some(name => !Object.hasOwn(scores, name))) throw malformed()
  return Object.entries(scores).flatMap(([name, score]) => {
    if (score === null || (wanted && !wanted.includes(name))) return []
    const threshold = Object.hasOwn(thresholds, name) ? thresholds[name] : undefined
    const counts = threshold === undefined ? categories[name] === true : score >= threshold
    return counts ? [{ kind: name, rule: name, score }] : []
  })
}

/** Source: OpenAI, "Create moderation": `POST /v1/moderations`. */
export const openAiModeration = (settings: OpenAiModerationSettings): JudgeService => ({
  pieces: PIECES,
  mostPerRequest: MOST_PER_REQUEST,
  dependsOnPlace: false,
  request: pieces => ({
    method: 'POST',
    url: below(settings.baseUrl.replace(/\/v1\/?$/, ''), '/v1/moderations'),
    headers: {
      'content-type': 'application/json',
      ...(settings.apiKey !== undefined && { authorization: `Bearer ${settings.apiKey}` }),
    },
    body: JSON.stringify({ model: settings.model ?? MODEL, input: pieces.map(({ text }) => text) }),
  }),
  findings: (answer, pieces) => {
    const { results } = readJson(answerSchema, answer)
    if (results.length !== pieces.length) throw malformed()
    return results.map(result => findingsIn(result, settings))
  },
})
