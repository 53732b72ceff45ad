import { z } from 'zod'
import { below, readJson } from '../../tools/service-answer.ts'
import { ToolFailure } from '../../tools/types.ts'
import type { Finding, JudgeService } from './types.ts'

export type PresidioSettings = Readonly<{
  baseUrl: string
  apiKey?: string | undefined
  /** ISO 639-1; `en` when absent. */
  language?: string | undefined
  /** The types of entities to look for, such as `PERSON`; all when absent. */
  entities?: readonly string[] | undefined
  /** From 0 to 1; the service's own when absent. */
  scoreThreshold?: number | undefined
}>

const PIECES = { longest: 20_000, overlap: 200, most: 16 }
/** More entities in one piece are no plausible answer. */
const MOST_ENTITIES = 2_000

const answerSchema = z
  .array(
    z.object({
      entity_type: z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/),
      start: z.int().min(0),
      end: z.int().min(0),
      score: z.number().min(0).max(1),
    }),
  )
  .max(MOST_ENTITIES)

/**
 * The offset in code units of each offset in code points: Python counts a character beyond the Basic Multilingual Plane
 * once, JavaScript twice.
 */
const codeUnitOffsets = (text: string): Uint32Array => {
  const offsets = new Uint32Array(text.length + 1)
  let [points, units] = [0, 0]
  for (const point of text) {
    offsets[points] = units
    points += 1
    units += point.length
  }
  offsets[points] = units
  return offsets.subarray(0, points + 1)
}

const findingsIn = (entities: z.output<typeof answerSchema>, text: string): readonly Finding[] => {
  const offsets = codeUnitOffsets(text)
  return entities.map(({ entity_type: type, start: from, end: to, score }) => {
    const start = offsets[from]
    const end = offsets[to]
    if (start === undefined || end === undefined || start >= end)
      throw new ToolFailure('malformed', 'The service answered in an unexpected form.')
    return { kind: type.toLowerCase().replaceAll('_', '-'), rule: type, score, span: { start, end } }
  })
}

/** Microsoft Presidio's analyzer. Source: its REST API, `POST /analyze`. */
export const presidio = (settings: PresidioSettings): JudgeService => ({
  pieces: PIECES,
  mostPerRequest: 1,
  dependsOnPlace: false,
  request: ([piece]) => ({
    method: 'POST',
    url: below(settings.baseUrl, '/analyze'),
    headers: {
      'content-type': 'application/json',
      ...(settings.apiKey !== undefined && { authorization: `Bearer ${settings.apiKey}` }),
    },
    body: JSON.stringify({
      text: piece?.text ?? '',
      language: settings.language ?? 'en',
      ...(settings.entities && { entities: settings.entities }),
      ...(settings.scoreThreshold !== undefined && { score_threshold: settings.scoreThreshold }),
    }),
  }),
  findings: (answer, [piece]) => [findingsIn(readJson(answerSchema, answer), piece?.text ?? '')],
})
