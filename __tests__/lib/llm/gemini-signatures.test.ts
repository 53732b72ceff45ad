import { describe, expect, it } from 'vitest'
import type { Message } from '#lib/llm/message.ts'
import { gemini } from '#lib/llm/providers/gemini.ts'
import { groq } from '#lib/llm/providers/groq.ts'
import type { Call, ReplyEvent } from '#lib/llm/types.ts'
import { collect, newAttempt, newCall } from '../../support/calls.ts'
import { openAiCall } from '../../support/dialect-calls.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { answering } from '../../support/wire-fixtures.ts'

const SIGNED = { google: { thought_signature: 'sig-a' } }
const NO_SIGNATURE = { google: { thought_signature: 'skip_thought_signature_validator' } }

/** Gemini gives all calls of an answer the index 0. */
const chunks = [
  {
    tool_calls: [
      {
        index: 0,
        id: 'a',
        type: 'function',
        function: { name: 'look', arguments: '{}' },
        extra_content: SIGNED,
      },
    ],
  },
  { tool_calls: [{ index: 0, id: 'b', type: 'function', function: { name: 'find', arguments: '{}' } }] },
]
const stream = Buffer.from(
  [
    ...chunks.map(delta => JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null }] })),
    JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }),
    '[DONE]',
  ]
    .map(data => `data: ${data}\n\n`)
    .join(''),
)

const history = (first: object): readonly Message[] => [
  { role: 'user', content: 'Look, and find.' },
  {
    role: 'assistant',
    content: '',
    toolCalls: [
      { id: 'a', name: 'look', arguments: '{}', ...first },
      { id: 'b', name: 'find', arguments: '{}' },
    ],
  },
  { role: 'tool', toolCallId: 'a', content: 'done' },
  { role: 'tool', toolCallId: 'b', content: 'done' },
]

const asked = async (call: Partial<Call>, model: string, definition = gemini) => {
  let sent = '{}'
  const post = answering(200, 'text/event-stream', [stream])
  const provider = definition.create(
    providerDeps({
      post: (address, body, signal) => {
        sent = String(body)
        return post(address, body, signal)
      },
    }),
  )
  const target = { provider: definition.id, model, name: `${definition.id}/${model}` }
  const reply = await provider.ask(newCall({ stream: true, ...call }), target, newAttempt())
  return { events: await collect(reply), sent: JSON.parse(sent), text: sent }
}

const extras = ({ messages }: { messages: { tool_calls?: { extra_content?: unknown }[] }[] }) =>
  messages.flatMap(({ tool_calls: calls = [] }) => calls.map(call => call.extra_content))

const callsIn = (events: readonly ReplyEvent[]) =>
  events.flatMap(event => (event.type === 'tool-call-delta' && event.id ? event : []))

describe('a signature of Gemini’s reasoning', () => {
  it('is an event’s, and stays in the chunk of a client of the same format, though its index is repaired', async () => {
    const raw = { format: 'openai-chat', json: '{"messages":[]}', members: [['messages', '[]']] } as const
    const { events } = await asked({ raw }, 'gemini-3-pro')
    expect(callsIn(events).map(({ index, extraContent }) => [index, extraContent])).toEqual([
      [0, SIGNED],
      [1, undefined],
    ])
    const wires = events.flatMap(event => (event.type === 'wire' ? JSON.parse(event.json) : []))
    const calls = wires.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])
    expect(calls.map(({ index, extra_content: extra }) => [index, extra])).toEqual([
      [0, SIGNED],
      [1, undefined],
    ])
  })

  it('goes back with its call, and only to Gemini', async () => {
    const messages = history({ extraContent: SIGNED })
    expect(extras((await asked({ messages }, 'gemini-3-pro')).sent)).toEqual([SIGNED, undefined])
    expect(extras((await asked({ messages }, 'llama-3.3-70b', groq)).sent)).toEqual([undefined, undefined])
  })

  it('that was lost is replaced for the first call of a step, for models that refuse one without', async () => {
    const messages = history({})
    expect(extras((await asked({ messages }, 'gemini-3-pro')).sent)).toEqual([NO_SIGNATURE, undefined])
    expect(extras((await asked({ messages }, 'gemini-2.5-flash')).sent)).toEqual([undefined, undefined])
  })

  it('that was lost is replaced in a client’s own body too, where all else stays as it was written', async () => {
    const call = (id: string, more = '') =>
      `{"id":"${id}","type":"function","function":{"name":"look","arguments":"{}"}${more}}`
    const messages = (more = '') =>
      `[{"role":"user","content":"Look.","n":1.0},{"role":"assistant","content":null,"tool_calls":[${call('a', more)},${call('b')}]},{"role":"tool","tool_call_id":"a","content":"7"},{"role":"tool","tool_call_id":"b","content":"8"}]`
    const sentFor = async (written: string, model: string) => {
      const raw = await openAiCall(`{"model":"m","stream":true,"messages":${written}}`)
      return (await asked(raw, model)).text
    }
    const replaced = `,"extra_content":${JSON.stringify(NO_SIGNATURE)}`
    const signed = `,"extra_content":${JSON.stringify(SIGNED)}`
    expect(await sentFor(messages(), 'gemini-3-pro')).toContain(`"messages":${messages(replaced)}`)
    expect(await sentFor(messages(signed), 'gemini-3-pro')).toContain(`"messages":${messages(signed)}`)
    expect(await sentFor(messages(), 'gemini-2.5-flash')).toContain(`"messages":${messages()}`)
  })
})
