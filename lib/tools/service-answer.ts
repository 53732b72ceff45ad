import type { z } from 'zod'
import { type ServiceAnswer, ToolFailure } from './types.ts'

const NOT_ACCEPTED = new Set([401, 402, 403])
const TIMED_OUT = 408

/** Throws a ToolFailure for an answer that is not a success. */
export const assertSuccess = ({ status, retryAfterMs }: ServiceAnswer): void => {
  if (status >= 200 && status < 300) return
  if (NOT_ACCEPTED.has(status))
    throw new ToolFailure('refused', 'The service did not accept the request of this gateway.')
  if (status === 429) throw new ToolFailure('rate-limited', 'The service is busy.', retryAfterMs)
  const reason = status >= 400 && status < 500 && status !== TIMED_OUT ? 'rejected' : 'error'
  throw new ToolFailure(reason, `The service answered with the status ${status}.`)
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw new ToolFailure('malformed', 'The service answered with something other than JSON.')
  }
}

/**
 * The JSON of an answer, whatever content type it declares. Throws a ToolFailure where it is not a success, is too
 * long, or is not of that shape.
 */
export const readJson = <S extends z.ZodType>(schema: S, answer: ServiceAnswer): z.output<S> => {
  assertSuccess(answer)
  if (answer.isCut) throw new ToolFailure('too-large', 'The service sent too large an answer.')
  const checked = schema.safeParse(parsed(answer.text))
  if (checked.success) return checked.data
  throw new ToolFailure('malformed', 'The service answered in an unexpected form.')
}

/** A text of a service: one that shows nothing is absent, a long one is cut. */
export const shown = (text: string | null | undefined, most: number): string | undefined => {
  const clean = (text ?? '')
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .toWellFormed()
  if (clean === '') return undefined
  return clean.length <= most ? clean : `${clean.slice(0, most - 1).toWellFormed()}…`
}

/** A web address of a service; absent where it is of another kind. */
export const webAddress = (text: string | null | undefined): string | undefined => {
  const url = URL.parse(text ?? '')
  return url && /^https?:$/.test(url.protocol) && url.href.length <= 2_000 ? url.href : undefined
}

/** A URL below a service's base, with a query of the values that are there. */
export const below = (
  baseUrl: string,
  path: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
): URL => {
  const url = new URL(baseUrl.replace(/\/+$/, '') + path)
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, String(value))
  return url
}
