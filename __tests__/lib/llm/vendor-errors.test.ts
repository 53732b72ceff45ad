import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import { anthropic } from '#lib/llm/providers/anthropic/anthropic.ts'
import { compatible } from '#lib/llm/providers/openai-compatible.ts'
import { postOver } from '#lib/llm/providers/shared/upstream.ts'
import { upstreamAgent } from '#lib/llm/providers/shared/upstream-agent.ts'
import { upstreamError } from '#lib/llm/providers/shared/upstream-error.ts'
import { collect, newAttempt, newCall } from '../../support/calls.ts'
import { FakeUpstream } from '../../support/fake-upstream.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { type Behaviour, chunk, refuses, sends, sse } from '../../support/upstream-behaviour.ts'
import {
  BLOCKED,
  LOOKALIKES,
  OTHERS,
  TOO_LONG,
  VENDOR_ERRORS,
  type VendorError,
} from '../../support/vendor-errors.ts'

const JSON_TYPE = { type: 'application/json' }
const START = sse(chunk({ content: 'Once' }))
const ANTHROPIC_START = sse({ type: 'content_block_delta', delta: { type: 'text_delta', text: 'Once' } })

/** Where an error may stand. */
const PLACES: Readonly<Record<string, (error: VendorError, start: string) => Behaviour>> = {
  'an HTTP status': ({ status, body }) => refuses(status, { body: JSON.stringify(body) }),
  'the body of a 200': ({ body }) => sends([JSON.stringify(body)], JSON_TYPE),
  'the first event of a stream': ({ body }) => sends([sse(body)]),
  'an event in the middle of a stream': ({ body }, start) => sends([start, sse(body)]),
}
const PLACE_NAMES = Object.keys(PLACES)

describe('the same error', () => {
  let upstream: FakeUpstream
  beforeAll(async () => {
    upstream = await FakeUpstream.start()
  })
  afterAll(() => upstream.stop())

  const failure = async (error: VendorError, place: string): Promise<GatewayError> => {
    const isAnthropic = error.vendor.startsWith('Anthropic')
    const definition = isAnthropic ? anthropic : compatible
    const behaviour = PLACES[place]?.(error, isAnthropic ? ANTHROPIC_START : START)
    if (!behaviour) throw new Error(`no place “${place}”`)
    const model = upstream.modelThat(behaviour)
    const provider = definition.create(
      providerDeps({
        baseUrl: upstream.baseUrl,
        post: postOver(upstreamAgent()),
      }),
    )
    const asked = provider.ask(
      newCall({ stream: place.includes('stream') }),
      {
        provider: definition.id,
        model,
        name: model,
      },
      newAttempt(),
    )
    const found = await asked.then(collect, thrown => thrown)
    const last = Array.isArray(found) ? found.at(-1) : { type: 'error', error: found }
    if (last?.type !== 'error' || !(last.error instanceof GatewayError)) throw new Error('it did not fail')
    return last.error
  }

  describe.each([
    ['a conversation that is too long', TOO_LONG],
    ['blocked content', BLOCKED],
    ['anything else', OTHERS],
    ['something that only sounds like it', LOOKALIKES],
  ] as const)('that says %s (number 9)', (_, errors) => {
    it.each(errors.map(error => [error.vendor, error] as const))(
      'means the same wherever it stands: %s',
      async (_vendor, error) => {
        const [code, final] = error.means.split(' ')
        for (const place of PLACE_NAMES) {
          const found = await failure(error, place)
          expect([place, found.code]).toEqual([place, code])
          if (code === 'PROVIDER_ERROR')
            expect([place, found.retryable]).toEqual([place, final === undefined])
          expect(found.message).not.toContain('tokens')
        }
      },
    )
  })

  it('means the same by its words alone, without any number (number 9)', () => {
    const numbers = (key: string, value: unknown) =>
      /^(?:code|status)$/.test(key) && /^\d+$/.test(`${value}`) ? undefined : value
    for (const { vendor, body, means } of [...TOO_LONG, ...BLOCKED]) {
      const wordless: unknown = JSON.parse(JSON.stringify(body, numbers))
      expect([vendor, upstreamError({ provider: 'fake', body: wordless }).code]).toEqual([vendor, means])
    }
  })

  it('means the same as text, as JSON, and as a message of a relay', () => {
    for (const { vendor, status, body, means } of VENDOR_ERRORS) {
      const [code] = means.split(' ')
      const relayed = { error: { message: JSON.stringify(body), type: 'upstream_error' } }
      for (const form of [JSON.stringify(body), body, relayed])
        expect([vendor, upstreamError({ provider: 'fake', status, body: form }).code]).toEqual([vendor, code])
    }
  })
})

describe('an error whose words say nothing', () => {
  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'PROVIDER_ERROR'],
    ['an empty text', '', 'PROVIDER_ERROR'],
    ['null', null, 'PROVIDER_ERROR'],
    ['a number', 7, 'PROVIDER_ERROR'],
    ['an empty object', {}, 'PROVIDER_ERROR'],
    ['a sentence', { error: { message: 'Something broke.' } }, 'PROVIDER_ERROR'],
    ['half of JSON', '{"error":{"code":"context_length', 'PROVIDER_ERROR'],
    ['a status as a number', { error: { code: 404 } }, 'NOT_FOUND'],
    ['a status in digits', { error: { code: '429' } }, 'PROVIDER_RATE_LIMIT'],
    [
      'a page of a proxy',
      '<html><head><title>429 Too Many Requests</title></head></html>',
      'PROVIDER_RATE_LIMIT',
    ],
    ['a page of a proxy that is down', '<html><h1>502 Bad Gateway</h1></html>', 'PROVIDER_ERROR'],
  ])('is classified by the number in it, if there is one: %s', (_, body, code) => {
    expect(upstreamError({ provider: 'fake', body }).code).toBe(code)
  })

  it.each([400, 404, 413, 429, 503])('is classified by its HTTP status: a page with %i', status => {
    const page = upstreamError({ provider: 'fake', status, body: '<html><title>Error</title></html>' })
    expect(page.code).toBe(upstreamError({ provider: 'fake', status }).code)
  })

  it('is read within bounds, however deep and long it is', () => {
    let body: unknown = { code: 'context_length_exceeded' }
    for (let depth = 0; depth < 10_000; depth += 1) body = { error: body }
    expect(upstreamError({ provider: 'fake', body }).code).toBe('PROVIDER_ERROR')
    const wide = { errors: Array.from({ length: 100_000 }, () => ({ message: 'x'.repeat(100) })) }
    const startedAt = performance.now()
    upstreamError({ provider: 'fake', body: wide })
    upstreamError({ provider: 'fake', body: { message: 'exceed '.repeat(100_000) } })
    expect(performance.now() - startedAt).toBeLessThan(200)
  })

  it('shows the log the vendor’s code, and nothing of its sentences', () => {
    const body = { error: { message: 'the prompt was: my secret', code: 'odd_code' } }
    const { cause } = upstreamError({ provider: 'fake', status: 400, body, upstreamRequestId: 'req_1' })
    expect((cause as Error).message).toBe('fake answered 400, code odd_code, request req_1')
    expect(JSON.stringify(cause, Object.getOwnPropertyNames(cause))).not.toContain('secret')
  })
})
