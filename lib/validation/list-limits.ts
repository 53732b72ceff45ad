import { z } from 'zod'

/** How many elements a list has at least and at most, and what is wrong with one that has more. */
export type Bounds = Readonly<{ least?: number; most?: number; tooMany?: string }>

/** A list that is counted, and whose elements are not looked at: there may be millions. */
export const anyList = ({ least = 0, most = Number.POSITIVE_INFINITY, tooMany }: Bounds = {}) => {
  const list = z.unknown().check(({ value, issues }) => {
    if (!Array.isArray(value)) issues.push({ code: 'invalid_type', expected: 'array', input: value })
    else if (value.length < least) issues.push({ code: 'custom', message: 'must not be empty', input: value })
    else if (value.length > most) issues.push({ code: 'custom', message: tooMany, input: value })
  }) as z.ZodType<unknown> as z.ZodType<unknown[]>
  return list.meta({
    type: 'array',
    ...(least > 0 && { minItems: least }),
    ...(Number.isFinite(most) && { maxItems: most }),
  })
}

/** A list whose elements are checked once they are counted: a million invalid ones would be a million faults. */
export const listOf = <S extends z.ZodType>(element: S, bounds: Bounds) =>
  anyList(bounds).pipe(z.array(element as z.ZodType<z.output<S>, unknown>))

// Far more than any vendor takes. To translate many more at once would hold up other requests.
const PARTS: Bounds = { most: 10_000, tooMany: 'must hold at most 10,000 parts' }
const TOOLS: Bounds = { most: 4_096, tooMany: 'must hold at most 4,096 tools' }
const CALLS: Bounds = { most: 4_096, tooMany: 'must hold at most 4,096 calls' }
const TEXTS: Bounds = { most: 4_096, tooMany: 'must hold at most 4,096 texts' }

/** The parts of one message. */
export const partsOf = <S extends z.ZodType>(part: S) => listOf(part, PARTS)

export const anyParts = anyList(PARTS)

export const toolsOf = <S extends z.ZodType>(tool: S) => listOf(tool, TOOLS)

export const anyTools = anyList(TOOLS)

/** The calls of tools in one message. */
export const callsOf = <S extends z.ZodType>(call: S) => listOf(call, CALLS)

/** Sequences at which an answer stops, and other lists of texts. */
export const textList = listOf(z.string(), TEXTS)
