import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import { tokensOf } from '#lib/llm/message.ts'
import { PROVIDERS } from '#lib/llm/providers/registry.ts'
import { outcomesBy, type ReplyOutcome } from '../../support/reply-outcome.ts'
import { fixturesOf } from '../../support/wire-fixtures.ts'

type Path = readonly (string | number)[]
type Mutation = Readonly<{ path: Path; value: unknown }>

const MISSING = Symbol('missing')
const OTHER_TYPES: readonly unknown[] = [
  MISSING,
  null,
  0,
  -1,
  1e308,
  'text',
  '',
  true,
  [],
  [1],
  [null],
  [[]],
  {},
  { a: 1 },
  { text: 7 },
  'constructor',
  '__proto__',
]

/** Where every field of a value is, the value itself included. */
const pathsOf = (value: unknown, path: Path = []): Path[] => {
  if (typeof value !== 'object' || value === null) return [path]
  const isList = Array.isArray(value)
  const inside = Object.entries(value).flatMap(([key, one]) =>
    pathsOf(one, [...path, isList ? Number(key) : key]),
  )
  return [path, ...inside]
}

const replaced = (value: unknown, [key, ...rest]: Path, by: unknown): unknown => {
  if (key === undefined) return by === MISSING ? undefined : by
  const copy: Record<string | number, unknown> = (
    Array.isArray(value) ? [...value] : { ...(value as object) }
  ) as Record<string | number, unknown>
  if (rest.length === 0 && by === MISSING) delete copy[key]
  else copy[key] = replaced(copy[key], rest, by)
  return copy
}

const mutationsOf = (value: unknown): Mutation[] =>
  pathsOf(value).flatMap(path => OTHER_TYPES.map(other => ({ path, value: other })))

const expectSane = (outcome: ReplyOutcome | GatewayError, mutation: Mutation): void => {
  const what = JSON.stringify({ ...mutation, value: String(mutation.value) })
  if (outcome instanceof GatewayError) {
    expect(outcome.code, what).not.toBe('INTERNAL_ERROR')
    return
  }
  const { ending, usage, costUsd } = outcome
  const [end] = ending
  expect(ending, what).toHaveLength(1)
  if (end?.type === 'error') expect(end.error.code, what).not.toBe('INTERNAL_ERROR')
  if (end?.type === 'finish') expect(typeof end.reason, what).toBe('string')
  const { estimated: _, billed: __, ...counts } = tokensOf(usage)
  for (const count of Object.values(counts))
    expect(Number.isSafeInteger(count) && count >= 0, what).toBe(true)
  expect(costUsd >= 0 && Number.isFinite(costUsd), what).toBe(true)
}

/** A piece of an answer without its texts: one piece stands for all of the same shape, but in a long run. */
const shapeOf = (value: unknown): string =>
  JSON.stringify(value, (key, one) => (typeof one === 'string' && key !== 'type' ? '' : one))

/** A stream in its lines, those of JSON parsed. */
const linesOf = (stream: string): readonly (string | Readonly<{ json: unknown }>)[] =>
  stream.split('\n').map(line => {
    const [, json] = /^data:\s*(\{.*)$/.exec(line) ?? []
    return json ? { json: JSON.parse(json) } : line
  })

const textOf = (lines: ReturnType<typeof linesOf>): Buffer =>
  Buffer.from(
    lines
      .map(line => (typeof line === 'string' ? line : `data: ${JSON.stringify(line.json) ?? ''}`))
      .join('\n'),
  )

describe.each(PROVIDERS.map(definition => [definition.id, definition] as const))(
  'a response of %s in which a field has another type',
  (id, definition) => {
    const files = fixturesOf(id)
    const outcomeOfBody = outcomesBy(definition)

    it('is an answer or a failure of the provider, never a fault of ours: JSON', async () => {
      const answer: unknown = JSON.parse(files.get('answer')?.toString() ?? '')
      for (const mutation of mutationsOf(answer)) {
        const body = JSON.stringify(replaced(answer, mutation.path, mutation.value)) ?? ''
        expectSane(await outcomeOfBody(Buffer.from(body), { stream: false }), mutation)
      }
    })

    it.each(['stream', 'failing'].filter(name => files.has(name)))(
      'is an answer or a failure of the provider, never a fault of ours: %s',
      async name => {
        const lines = linesOf(files.get(name)?.toString() ?? '')
        const shapes = new Set<string>()
        for (const [index, line] of lines.entries()) {
          if (typeof line === 'string') continue
          const shape = shapeOf(line.json)
          if (shapes.has(shape) && !process.env.SOAK) continue
          shapes.add(shape)
          for (const mutation of mutationsOf(line.json)) {
            const json = replaced(line.json, mutation.path, mutation.value)
            const mutated = lines.with(index, { json })
            expectSane(await outcomeOfBody(textOf(mutated), { stream: true }), mutation)
          }
        }
      },
    )
  },
)
