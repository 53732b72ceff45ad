import { describe, expect, it } from 'vitest'
import { tokensOf } from '#lib/llm/message.ts'
import { PROVIDERS } from '#lib/llm/providers/registry.ts'
import type { Post } from '#lib/llm/providers/shared/upstream.ts'
import { collect, newAttempt, newCall } from '../../support/calls.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { answering, type Expected, fixturesOf, piecesOf } from '../../support/wire-fixtures.ts'

const SSE = 'text/event-stream; charset=utf-8'
const JSON_TYPE = 'application/json'

describe.each(PROVIDERS.map(definition => [definition.id, definition] as const))(
  'what %s answers, as it documents it',
  (id, definition) => {
    const files = fixturesOf(id)
    const expected: Expected = JSON.parse(files.get('expected')?.toString() ?? '{}')
    const body = (name: string): Buffer => files.get(name) ?? Buffer.from(`no ${name} among the fixtures`)

    const ask = (post: Post, stream: boolean) =>
      definition
        .create(
          providerDeps({
            post,
          }),
        )
        .ask(newCall({ stream }), { provider: id, model: 'model', name: `${id}/model` }, newAttempt())

    it.each([
      ['answer', JSON_TYPE, 1],
      ['answer', JSON_TYPE, Number.MAX_SAFE_INTEGER],
      ['stream', SSE, 1],
      ['stream', SSE, 7],
      ['stream', SSE, Number.MAX_SAFE_INTEGER],
    ])('is text, an end and its usage: %s as %s, in pieces of %i bytes', async (name, type, size) => {
      const reply = await ask(answering(200, type, piecesOf(body(name), size)), name === 'stream')
      const found = await collect(reply)
      const said = found.flatMap(event => (event.type === 'text-delta' ? event.text : []))
      expect(said.join('')).toBe(expected.text)
      expect(found.at(-1)).toEqual({ type: 'finish', reason: 'stop', raw: expected.raw })
      expect(tokensOf(await reply.usage)).toEqual(expected.usage)
    })

    it.each(Object.entries(expected.refusals))('is a refusal: %s means %s', async (name, meaning) => {
      const [code, then] = meaning.split(' ')
      const status = Number(name.split('-')[1])
      const refused = await ask(answering(status, JSON_TYPE, [body(name)]), false).catch(error => error)
      expect(refused).toMatchObject({
        code,
        ...(then === 'final' && { retryable: false }),
        ...(then && then !== 'final' && { retryAfterSeconds: Number(then) }),
      })
      expect(files.has(name)).toBe(true)
    })

    if (!expected.failing) return
    it.each([1, Number.MAX_SAFE_INTEGER])(
      'is a stream that fails in the middle, in pieces of %i bytes',
      async size => {
        const pieces = piecesOf(body('failing'), size)
        const outcome = await ask(answering(200, SSE, pieces), true).then(collect, error => [{ error }])
        expect(outcome.at(-1)).toMatchObject({ error: { code: expected.failing, retryable: true } })
      },
    )
  },
)
