import { block, sseOf, started, texts } from './anthropic-behaviour.ts'
import { thinks, usesWeather } from './anthropic-fixtures.ts'
import type { FakeUpstream } from './fake-upstream.ts'
import { callsWeather, PIXEL, reasons, refusesAs, writes } from './openai-behaviour.ts'
import { type Behaviour, chunk, inTurn, refuses, sends, sse } from './upstream-behaviour.ts'

const VECTORS = [
  [0.25, -0.5],
  [1, 0],
]

/** Embeddings in the encoding that is asked for. */
const embeds: Behaviour = (response, asked, signal) => {
  const { encoding_format: format } = asked as { encoding_format?: string }
  const data = VECTORS.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding:
      format === 'base64' ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector,
  }))
  const body = { object: 'list', data, model: 'fake', usage: { prompt_tokens: 8, total_tokens: 8 } }
  return sends([JSON.stringify(body)], { type: 'application/json' })(response, asked, signal)
}

/** Says whether there is an image in the request. */
const sees =
  (says: (text: string) => Behaviour): Behaviour =>
  (response, asked, signal) =>
    says(JSON.stringify(asked.messages).includes(PIXEL) ? 'an image' : 'nothing')(response, asked, signal)

const refusesMessage = refuses(400, {
  body: JSON.stringify({
    type: 'error',
    error: { type: 'invalid_request_error', message: 'messages: no such thing' },
  }),
})

const beginsMessage = sends([
  sseOf(started, ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hel' }).slice(0, 2)),
])

/** Has an upstream behave as the tests in `__tests__/python` name its models. */
export const behaveForPython = (upstream: FakeUpstream): FakeUpstream =>
  upstream
    .forModel('gpt-text', writes('Hello', ' there'))
    .forModel('gpt-tools', callsWeather('Köln', 'Bonn'))
    .forModel('gpt-place', writes('{"city":', '"Köln"}'))
    .forModel('gpt-reasoning', reasons('Hm.', 'Yes.'))
    .forModel('gpt-sees', sees(writes))
    .forModel('gpt-broken', sends([sse(chunk({ content: 'Hel' }))]))
    .forModel('gpt-flaky', inTurn(refuses(500), writes('Back')))
    .forModel('gpt-flaky-too', inTurn(refuses(500), writes('Back')))
    .forModel(
      'gpt-refused',
      refusesAs(400, {
        message: 'messages: no such thing',
        type: 'invalid_request_error',
        param: 'messages',
        code: 'bad_thing',
      }),
    )
    .forModel('text-embedding-3-small', embeds)
    .forModel('claude-text', texts('Hello', ' there'))
    .forModel('claude-tools', usesWeather('Köln', 'Bonn'))
    .forModel('claude-thinks', thinks('Hm.', 'Yes.'))
    .forModel('claude-sees', sees(texts))
    .forModel('claude-place', texts('{"city":', '"Köln"}'))
    .forModel('claude-flaky', inTurn(refuses(500), texts('Back')))
    .forModel('claude-refused', refusesMessage)
    .forModel('claude-broken', beginsMessage)
