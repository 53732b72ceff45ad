import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import { tokensOf } from '#lib/llm/message.ts'
import { PROVIDERS } from '#lib/llm/providers/registry.ts'
import { type ReplyOutcome, outcomeOfBody as wholeOutcome } from '../../support/reply-outcome.ts'
import { fixturesOf } from '../../support/wire-fixtures.ts'

type Fields = Readonly<Record<string, unknown>>

/** Without the service tier, which Groq documents in its whole answers alone. */
const outcomeOfBody = async (
  ...body: Parameters<typeof wholeOutcome>
): Promise<ReplyOutcome | GatewayError> => {
  const outcome = await wholeOutcome(...body)
  return outcome instanceof GatewayError ? outcome : { ...outcome, usage: tokensOf(outcome.usage) }
}
type Bodies = Readonly<{ whole: Buffer; stream: Buffer }>

const frames = (events: readonly Fields[], end = ''): Buffer =>
  Buffer.from(events.map(event => `data: ${JSON.stringify(event)}\n\n`).join('') + end)

type Said = Readonly<{ message?: Fields | null; finish?: unknown; usage?: unknown; more?: Fields }>

/** An answer in OpenAI's protocol, as a whole and as a stream. */
const openAi = ({ message, finish, usage, more = {} }: Said): Bodies => ({
  whole: Buffer.from(JSON.stringify({ choices: [{ message, finish_reason: finish }], usage, ...more })),
  stream: frames(
    [
      { choices: [{ delta: message, finish_reason: null }], ...more },
      { choices: [{ delta: {}, finish_reason: finish }] },
      { choices: [], usage },
    ],
    'data: [DONE]\n\n',
  ),
})

type SaidByAnthropic = Readonly<{ blocks: readonly Fields[] | null; stop?: unknown; usage: Fields }>

const anthropic = ({ blocks, stop, usage }: SaidByAnthropic): Bodies => ({
  whole: Buffer.from(JSON.stringify({ type: 'message', content: blocks, stop_reason: stop, usage })),
  stream: frames([
    { type: 'message_start', message: { content: [], usage: { ...usage, output_tokens: 1 } } },
    ...(blocks ?? []).flatMap((block, index) => [
      {
        type: 'content_block_start',
        index,
        content_block: block.type === 'tool_use' ? block : { type: block.type, text: '' },
      },
      { type: 'content_block_delta', index, delta: { ...block, type: `${block.type}_delta` } },
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta: { stop_reason: stop }, usage: { output_tokens: usage.output_tokens } },
    { type: 'message_stop' },
  ]),
})

const USAGE = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }
const COUNTED = { inputTokens: 9, outputTokens: 3 }
const OTHER = { type: 'finish', reason: 'other', warnings: [expect.stringMatching(/may be incomplete\.$/)] }
const finished = (reason: string, raw = reason) => [{ type: 'finish', reason, raw }]
const toolCalls = [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }]

/** Answers: what is said, in words and as a message, and what it becomes. */
const SAID: readonly (readonly [string, Said, object])[] = [
  [
    'null, cut by its length',
    { message: { content: null }, finish: 'length' },
    { text: '', ending: finished('length') },
  ],
  ['nothing, cut by its length', { message: {}, finish: 'length' }, { text: '', ending: finished('length') }],
  [
    'no message, filtered',
    { message: null, finish: 'content_filter' },
    { text: '', ending: finished('content_filter') },
  ],
  [
    'null, filtered',
    { message: { content: null }, finish: 'content_filter' },
    { text: '', ending: finished('content_filter') },
  ],
  [
    'null, with tool calls',
    { message: { content: null, tool_calls: toolCalls }, finish: 'tool_calls' },
    { text: '', ending: finished('tool_calls') },
  ],
  [
    'null, with null tool calls',
    { message: { content: null, tool_calls: null }, finish: 'tool_calls' },
    { text: '', ending: finished('tool_calls') },
  ],
  ['nothing, stopped', { message: { content: '' }, finish: 'stop' }, { text: '', ending: finished('stop') }],
  [
    'text in parts',
    {
      message: {
        content: ['a', { type: 'text', text: 'b' }, { type: 'thinking', thinking: [] }, null, { text: 'c' }],
      },
      finish: 'stop',
    },
    { text: 'abc', ending: finished('stop') },
  ],
  ['one part', { message: { content: { type: 'text', text: 'b' } }, finish: 'stop' }, { text: 'b' }],
  [
    'a refusal',
    { message: { content: null, refusal: 'I cannot.' }, finish: 'stop' },
    { text: 'I cannot.', ending: finished('content_filter', 'stop') },
  ],
  [
    'a refusal of a vendor that says so',
    { message: { refusal: 'No.' }, finish: 'content_filter' },
    { text: 'No.', ending: finished('content_filter') },
  ],
  [
    'text without a finish reason',
    { message: { content: 'Hi' }, finish: null },
    { text: 'Hi', ending: [OTHER] },
  ],
  [
    'text with an empty finish reason',
    { message: { content: 'Hi' }, finish: '' },
    { text: 'Hi', ending: [OTHER] },
  ],
  [
    'text with a number for a finish reason',
    { message: { content: 'Hi' }, finish: 7 },
    { text: 'Hi', ending: [OTHER] },
  ],
  [
    'text beside an empty error',
    {
      message: { content: 'Hi' },
      finish: 'stop',
      more: { error: { message: '', type: '', param: '', code: null } },
    },
    { text: 'Hi', ending: finished('stop') },
  ],
  [
    'text beside an error of false',
    { message: { content: 'Hi' }, finish: 'stop', more: { error: false } },
    { text: 'Hi' },
  ],
  [
    'text with usage of −1,000,000',
    { message: { content: 'Hi' }, finish: 'stop', usage: { prompt_tokens: -1e6, completion_tokens: -5 } },
    { usage: { inputTokens: 2, outputTokens: 1, estimated: true } },
  ],
  [
    'text with usage of 9.5',
    { message: { content: 'Hi' }, finish: 'stop', usage: { prompt_tokens: 9.5, completion_tokens: 2.25 } },
    { usage: { inputTokens: 2, outputTokens: 1, estimated: true } },
  ],
  [
    'text with usage of 2^64 − 1',
    {
      message: { content: 'Hi' },
      finish: 'stop',
      usage: { prompt_tokens: 2 ** 64 - 1, completion_tokens: 3 },
    },
    { usage: { inputTokens: 2, outputTokens: 3, estimated: true } },
  ],
  [
    'text with usage of 0/0',
    {
      message: { content: 'Hi' },
      finish: 'stop',
      usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    },
    { usage: { inputTokens: 2, outputTokens: 1, estimated: true } },
  ],
  [
    'text with usage in words',
    { message: { content: 'Hi' }, finish: 'stop', usage: 'a lot' },
    { usage: { inputTokens: 2, outputTokens: 1, estimated: true } },
  ],
  [
    'text with usage in digits',
    { message: { content: 'Hi' }, finish: 'stop', usage: { prompt_tokens: '9', completion_tokens: '3' } },
    { usage: COUNTED },
  ],
  [
    'text with more cached than there was',
    {
      message: { content: 'Hi' },
      finish: 'stop',
      usage: { ...USAGE, prompt_tokens_details: { cached_tokens: 99 } },
    },
    { usage: { ...COUNTED, cachedInputTokens: 9, estimated: true } },
  ],
  [
    'text with reasoning in the total alone',
    { message: { content: 'Hi' }, finish: 'stop', usage: { ...USAGE, total_tokens: 64 } },
    { usage: { inputTokens: 9, outputTokens: 55, reasoningTokens: 52 } },
  ],
]

const FAILED: readonly (readonly [string, Said])[] = [
  ['finish reason “error”', { message: { content: 'Half' }, finish: 'error' }],
  [
    'an error in the choice',
    { message: { content: null }, finish: 'error', more: { error: { code: 502, message: 'gone' } } },
  ],
  [
    'an error that is a sentence',
    { message: { content: 'Hi' }, finish: 'stop', more: { error: 'it broke' } },
  ],
  ['a number as content', { message: { content: 42 }, finish: 'stop' }],
  ['an object as content', { message: { content: { a: 1 } }, finish: 'stop' }],
  ['a list as message', { message: [] as unknown as Fields, finish: 'stop' }],
  ['nothing at all', { message: {} }],
]

const errorIn = (outcome: Awaited<ReturnType<typeof outcomeOfBody>>): GatewayError | undefined => {
  if (outcome instanceof GatewayError) return outcome
  const [last] = outcome.ending
  return last?.type === 'error' ? last.error : undefined
}

describe.each(PROVIDERS.map(definition => [definition.id, definition] as const))(
  'JSON and stream of %s',
  (id, definition) => {
    const both = async ({ whole, stream }: Bodies) => [
      await outcomeOfBody(definition, whole, { stream: false }),
      await outcomeOfBody(definition, stream, { stream: true }),
    ]

    it('agree on text, finish reason, usage and cost of the documented answer', async () => {
      const files = fixturesOf(id)
      const [whole, stream] = [files.get('answer'), files.get('stream')]
      if (!whole || !stream) throw new Error(`the fixtures of ${id} lack an answer or a stream`)
      const [fromWhole, fromStream] = await both({ whole, stream })
      expect(fromWhole).not.toBeInstanceOf(GatewayError)
      expect(fromStream).toEqual(fromWhole)
    })

    it('are read for what they are, whatever was asked for and whatever their content type says', async () => {
      const files = fixturesOf(id)
      const expected = await outcomeOfBody(definition, files.get('answer') as Buffer, { stream: false })
      for (const name of ['answer', 'stream'])
        for (const type of [
          'text/event-stream',
          'TEXT/Event-Stream; charset=UTF-8',
          'application/json',
          'text/plain',
          '',
        ])
          for (const mark of ['', '\ufeff', '\n \r\n', '\ufeff\n']) {
            const body = Buffer.concat([Buffer.from(mark), files.get(name) as Buffer])
            for (const stream of [true, false])
              expect(await outcomeOfBody(definition, body, { stream, type })).toEqual(expected)
          }
    })

    if (id === 'anthropic') return

    it.each(SAID)('agree on %s', async (_, said, expected) => {
      const [fromWhole, fromStream] = await both(openAi({ usage: USAGE, ...said }))
      expect(fromWhole).toMatchObject(expected)
      expect(fromStream).toEqual(fromWhole)
    })

    it.each(FAILED)('agree that it is a failure of the provider: %s', async (_, said) => {
      for (const outcome of await both(openAi(said)))
        expect(errorIn(outcome)).toMatchObject({ code: 'PROVIDER_ERROR', retryable: true })
    })
  },
)

describe('JSON and stream of anthropic', () => {
  const definition = PROVIDERS.find(({ id }) => id === 'anthropic') as (typeof PROVIDERS)[number]
  const usage = { input_tokens: 9, output_tokens: 3 }

  it.each<[string, SaidByAnthropic, object]>([
    [
      'no content, cut by its length',
      { blocks: [], stop: 'max_tokens', usage },
      { text: '', ending: finished('length', 'max_tokens') },
    ],
    [
      'null content, refused',
      { blocks: null, stop: 'refusal', usage },
      { text: '', ending: finished('content_filter', 'refusal') },
    ],
    [
      'a tool call',
      { blocks: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }], stop: 'tool_use', usage },
      { text: '' },
    ],
    [
      'text without a stop reason',
      { blocks: [{ type: 'text', text: 'Hi' }], stop: null, usage },
      { text: 'Hi', ending: [OTHER] },
    ],
    [
      'counts that cannot be',
      {
        blocks: [{ type: 'text', text: 'Hi' }],
        stop: 'end_turn',
        usage: { input_tokens: -4, cache_read_input_tokens: -9, output_tokens: 9.5 },
      },
      { usage: { inputTokens: 2, outputTokens: 1, estimated: true } },
    ],
    [
      '0/0 beside text',
      {
        blocks: [{ type: 'text', text: 'Hi' }],
        stop: 'end_turn',
        usage: { input_tokens: 0, output_tokens: 0 },
      },
      { usage: { inputTokens: 2, outputTokens: 1, estimated: true } },
    ],
  ])('agree on %s', async (_, said, expected) => {
    const { whole, stream } = anthropic(said)
    const fromWhole = await outcomeOfBody(definition, whole, { stream: false })
    expect(fromWhole).toMatchObject(expected)
    expect(await outcomeOfBody(definition, stream, { stream: true })).toEqual(fromWhole)
  })

  it('agree where a relay puts [DONE] in place of Anthropic’s own end', async () => {
    const { whole, stream } = anthropic({ blocks: [{ type: 'text', text: 'Hi' }], stop: 'end_turn', usage })
    const relayed = stream.toString().replace('data: {"type":"message_stop"}', 'data: [DONE]')
    expect(relayed).toContain('[DONE]')
    expect(await outcomeOfBody(definition, Buffer.from(relayed), { stream: true })).toEqual(
      await outcomeOfBody(definition, whole, { stream: false }),
    )
  })
})
