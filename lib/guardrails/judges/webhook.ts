import { z } from 'zod'
import { readJson } from '../../tools/service-answer.ts'
import { ToolFailure } from '../../tools/types.ts'
import { signatureOf } from '../../webhook/send.ts'
import type { PlacedText } from '../types.ts'
import type { Finding, JudgeService } from './types.ts'

export type WebhookJudgeSettings = Readonly<{
  url: string
  /** Signs the requests. */
  secret: string
  /** Only findings of at least this score count, from 0 to 1; all when absent. */
  scoreThreshold?: number | undefined
}>

export type WebhookJudgeDeps = Readonly<{
  /** Clock time, milliseconds. */
  now: () => number
  newId: () => string
}>

const EVENT = 'guardrail.check'

const PIECES = { longest: 32_000, overlap: 0, most: 16 }
const MOST_PER_REQUEST = 8
const MOST_FINDINGS = 1_000
/** A name, and no place for the text itself. */
const name = z.string().regex(/^[A-Za-z0-9][\w./-]{0,63}$/)

const finding = z.object({
  kind: name,
  rule: name.optional(),
  score: z.number().min(0).max(1).default(1),
  start: z.int().min(0).optional(),
  end: z.int().min(0).optional(),
})

/** The documented answer: one list for each text of the request, in its order. */
const answerSchema = z.object({ verdicts: z.array(z.array(finding).max(MOST_FINDINGS)) })

const malformed = (): ToolFailure =>
  new ToolFailure('malformed', 'The service answered in an unexpected form.')

const findingOf = (
  { kind, rule = kind, score, start, end }: z.output<typeof finding>,
  { text }: PlacedText,
): Finding => {
  if (start === undefined && end === undefined) return { kind, rule, score }
  if (start === undefined || end === undefined || start >= end || end > text.length) throw malformed()
  return { kind, rule, score, span: { start, end } }
}

/**
 * A service of the operator's own.
 *
 * It gets `{ "texts": [{ "place": "user", "text": "…" }] }` with the headers `x-parley-event: guardrail.check`,
 * `x-parley-delivery` (an id) and `x-parley-signature: t=<unix seconds>,v1=<hex HMAC-SHA-256 of "t.body">`, and answers
 * `{ "verdicts": [[{ "kind": "legal-advice", "score": 0.9, "start": 0, "end": 12 }]] }`: one list for each text, empty
 * where nothing was found. `score` is 1 when absent, `rule` the kind; offsets are in UTF-16 code units, and without them
 * a verdict is about the whole text.
 */
export const webhookJudge = (
  { url, secret, scoreThreshold = 0 }: WebhookJudgeSettings,
  { now, newId }: WebhookJudgeDeps,
): JudgeService => ({
  pieces: PIECES,
  mostPerRequest: MOST_PER_REQUEST,
  dependsOnPlace: true,
  request: pieces => {
    const body = JSON.stringify({ texts: pieces.map(({ place, text }) => ({ place, text })) })
    return {
      method: 'POST',
      url: new URL(url),
      headers: {
        'content-type': 'application/json',
        'x-parley-event': EVENT,
        'x-parley-delivery': newId(),
        'x-parley-signature': signatureOf(body, secret, now()),
      },
      body,
    }
  },
  findings: (answer, pieces) => {
    const { verdicts } = readJson(answerSchema, answer)
    if (verdicts.length !== pieces.length) throw malformed()
    return pieces.map((piece, index) =>
      (verdicts[index] ?? [])
        .map(one => findingOf(one, piece))
        .filter(({ score }) => score >= scoreThreshold),
    )
  },
})
