import { describe, expect, it } from 'vitest'
import type { Message } from '#lib/llm/message.ts'
import { anthropic } from '#lib/llm/providers/anthropic/anthropic.ts'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import { mistral } from '#lib/llm/providers/mistral.ts'
import { ollama } from '#lib/llm/providers/ollama.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import { compatible } from '#lib/llm/providers/openai-compatible.ts'
import { openrouter } from '#lib/llm/providers/openrouter.ts'
import { messagesFor } from '#lib/llm/providers/shared/openai-messages.ts'
import { vllm } from '#lib/llm/providers/vllm.ts'
import type { Call } from '#lib/llm/types.ts'
import { anthropicExchange } from '../../support/anthropic-exchange.ts'
import { collect, newAttempt, newCall } from '../../support/calls.ts'
import { anthropicCall, openAiCall } from '../../support/dialect-calls.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { answering } from '../../support/wire-fixtures.ts'

type Sent = Readonly<Record<string, unknown>> & Readonly<{ role: string; tool_call_id?: string }>
type SentCalls = Readonly<{ tool_calls?: readonly Readonly<{ id: string }>[] }>

const COMPLETION = {
  choices: [{ message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1 },
}

/** The messages that a provider's upstream gets for a call. */
const sentBy = async (definition: ProviderDefinition, call: Call): Promise<readonly Sent[]> => {
  let sent: readonly Sent[] = []
  const post = answering(200, 'application/json', [Buffer.from(JSON.stringify(COMPLETION))])
  const provider = definition.create(
    providerDeps({
      post: (address, json, signal) => {
        ;({ messages: sent } = JSON.parse(String(json)))
        return post(address, json, signal)
      },
    }),
  )
  await collect(
    await provider.ask(
      call,
      { provider: definition.id, model: 'm', name: `${definition.id}/m` },
      newAttempt(),
    ),
  )
  return sent
}

const calling = (...ids: readonly string[]): Message => ({
  role: 'assistant',
  content: '',
  reasoning: [{ text: 'I look it up.', signature: 's' }],
  toolCalls: ids.map(id => ({ id, name: 'weather', arguments: '{}' })),
})
const resultOf = (toolCallId: string): Message => ({ role: 'tool', toolCallId, content: '7' })
const HELLO: Message = { role: 'user', content: 'Hi' }
const AND: Message = { role: 'user', content: 'And?' }

const idsIn = (sent: readonly Sent[]) => [
  ...sent.flatMap(message => ((message as SentCalls).tool_calls ?? []).map(({ id }) => id)),
  ...sent.flatMap(({ tool_call_id: id }) => id ?? []),
]

describe('a conversation that began with another vendor', () => {
  it('has ids of tool calls that Mistral takes, the same in call and result, and different ones different', async () => {
    const [one, two, own] = ['toolu_01ABCdefGHI', 'call_abcdefghijk', 'D681PevKs'] as const
    const messages = [HELLO, calling(one, two, own), resultOf(one), resultOf(two), resultOf(own)]
    const ids = idsIn(await sentBy(mistral, newCall({ messages })))
    expect(ids.slice(0, 3)).toEqual(ids.slice(3))
    expect(new Set(ids).size).toBe(3)
    expect(ids[2]).toBe(own)
    for (const id of ids) expect(id).toMatch(/^[a-zA-Z0-9]{9}$/)
  })

  it('has an answer between a tool’s result and the user’s next message at Mistral', async () => {
    const messages = [HELLO, calling('D681PevKs'), resultOf('D681PevKs'), AND]
    const sent = await sentBy(mistral, newCall({ messages }))
    expect(sent.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant', 'user'])
  })

  it('has it before an image of a result too, which is a user’s message there', async () => {
    const image: Message = {
      role: 'tool',
      toolCallId: 'D681PevKs',
      content: [{ type: 'image', url: 'https://x/i.png' }],
    }
    const sent = await sentBy(mistral, newCall({ messages: [HELLO, calling('D681PevKs'), image] }))
    expect(sent.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant', 'user'])
  })

  it('has no empty list as a content, which OpenAI refuses', () => {
    const messages = [
      { role: 'assistant', content: [], refusal: 'No.' },
      { role: 'user', content: [] },
    ] as const
    expect(messagesFor(messages, { role: 'system' })).toEqual([
      { role: 'assistant', content: '', refusal: 'No.' },
      { role: 'user', content: '' },
    ])
  })

  it('marks an answer that Mistral is to go on with', async () => {
    const begun: Message = { role: 'assistant', content: '{' }
    expect(await sentBy(mistral, newCall({ messages: [HELLO, begun] }))).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: '{', prefix: true },
    ])
  })

  it('passes on to Mistral as it was written where Mistral takes it, and is fitted where not', async () => {
    const body = (id: string) => ({
      model: 'm',
      messages: [
        { role: 'user', content: 'Hi', name: 'Ann' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id, type: 'function', function: { name: 'weather', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: id, content: '7' },
      ],
    })
    const fit = body('D681PevKs')
    expect(await sentBy(mistral, await openAiCall(JSON.stringify(fit)))).toEqual(fit.messages)
    const ids = idsIn(await sentBy(mistral, await openAiCall(JSON.stringify(body('call_abcdefghijk')))))
    expect(ids[0]).toMatch(/^[a-zA-Z0-9]{9}$/)
    expect(ids[1]).toBe(ids[0])
  })

  it('passes on to Mistral with other ids alone, and with parts that only Mistral has', async () => {
    const body = {
      model: 'm',
      messages: [
        { role: 'user', content: [{ type: 'document_url', document_url: 'https://example.org/a.pdf' }] },
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ index: 0, function: { name: 'weather', arguments: { n: 1 } }, id: 'call_1' }],
          prefix: false,
        },
        { role: 'tool', name: 'weather', tool_call_id: 'call_1', content: '7' },
        { role: 'user', content: 'And?' },
      ],
    }
    const call = await openAiCall(JSON.stringify(body))
    const sent = await sentBy(mistral, call)
    const [id = ''] = idsIn(sent)
    expect(id).toMatch(/^[a-zA-Z0-9]{9}$/)
    const written = JSON.stringify(body.messages).replaceAll('"call_1"', JSON.stringify(id))
    const [asked, called, found, and] = JSON.parse(written)
    expect(sent).toEqual([asked, called, found, { role: 'assistant', content: 'OK.' }, and])
    expect(JSON.stringify(sent[1])).toBe(JSON.stringify(called))
    // The ids are those of a translated conversation, which a client may go on with in another format.
    const translated = await sentBy(
      mistral,
      newCall({ messages: [HELLO, calling('call_1'), resultOf('call_1')] }),
    )
    expect(idsIn(translated)).toContain(id)
  })

  it.each([
    [compatible, 'reasoning_content'],
    [openrouter, 'reasoning'],
    [ollama, 'reasoning'],
    [vllm, 'reasoning'],
  ])('shows the reasoning that led to a tool call: %o %s', async (definition, field) => {
    const thought: Message = { role: 'assistant', content: 'Yes.', reasoning: [{ text: 'Hm.' }] }
    const messages = [HELLO, thought, AND, calling('call_1'), resultOf('call_1')]
    const sent = await sentBy(definition, newCall({ messages }))
    expect(sent[1]).not.toHaveProperty(field)
    expect(sent[3]).toHaveProperty(field, 'I look it up.')
  })

  it.each([openai, mistral])('does not where the vendor refuses that: %o', async definition => {
    const messages = [HELLO, calling('D681PevKs'), resultOf('D681PevKs')]
    const sent = await sentBy(definition, newCall({ messages }))
    expect(JSON.stringify(sent)).not.toContain('I look it up.')
  })
})

describe('an answer of Mistral that thinks', () => {
  const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] }
  const events = [
    { type: 'reasoning-delta', text: 'Hm.' },
    { type: 'text-delta', text: 'Yes' },
  ]
  const ask = async (type: string, body: string, stream: boolean) => {
    const provider = mistral.create(providerDeps({ post: answering(200, type, [Buffer.from(body)]) }))
    const target = { provider: 'mistral', model: 'magistral', name: 'mistral/magistral' }
    return collect(await provider.ask(newCall({ stream }), target, newAttempt()))
  }

  it('has its reasoning, whole', async () => {
    const message = { role: 'assistant', content: [thinking, { type: 'text', text: 'Yes' }] }
    const body = JSON.stringify({ choices: [{ message, finish_reason: 'stop' }] })
    expect(await ask('application/json', body, false)).toMatchObject([...events, { type: 'finish' }])
  })

  it('has it as it comes, streamed', async () => {
    const body = [[thinking], [{ type: 'text', text: 'Yes' }]]
      .map(content => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`)
      .join('')
    const end = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    expect(await ask('text/event-stream', body + end, true)).toMatchObject([...events, { type: 'finish' }])
  })
})

describe('thinking that the gateway wrote for another vendor’s model', () => {
  const unsigned = '{"type":"thinking","thinking":"Hm.","signature":""}'
  const signed = '{"type":"thinking","thinking":"So.","signature":"s"}'
  const call = '{"type":"tool_use","id":"a","name":"f","input":{"n":1.0}}'
  const result = '{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"7"}]}'
  const body = (messages: readonly string[], more = '') =>
    `{"model":"m","max_tokens":2000,${more}"messages":[{"role":"user","content":"Hi"},${messages.join()}]}`
  const answer = (...blocks: readonly string[]) => `{"role":"assistant","content":[${blocks.join()}]}`
  const thinking = '"thinking":{"type":"enabled","budget_tokens":1024},'
  const sentFor = async (text: string, model?: string) => {
    const { sent, head } = await anthropicExchange(await anthropicCall(text), undefined, model)
    return { sent: sent as Record<string, unknown>, head }
  }

  it('is not sent to Claude, which refuses it; all else is', async () => {
    const said = '{"type":"text","text":"Yes","x":1e2}'
    const messages = [
      answer(unsigned, said),
      '{"role":"user","content":"?"}',
      answer(unsigned),
      answer(signed, call),
      result,
    ]
    const { sent, head } = await sentFor(body(messages, thinking))
    const kept = [answer(said), '{"role":"user","content":"?"}', answer(signed, call), result]
    expect(sent).toEqual(JSON.parse(body(kept, thinking).replace('"m"', '"claude-sonnet-4-5"')))
    expect(head.omitted).toBeUndefined()
  })

  it('is left out of what is counted, too', async () => {
    let counted = ''
    const provider = anthropic.create(
      providerDeps({
        post: (address, json, signal) => {
          counted = String(json)
          return answering(200, 'application/json', [Buffer.from('{"input_tokens":1}')])(
            address,
            json,
            signal,
          )
        },
      }),
    )
    const target = { provider: 'anthropic', model: 'claude-sonnet-4-5', name: 'm' }
    await provider.countTokens?.(
      await anthropicCall(body([answer(unsigned, call), result])),
      target,
      newAttempt(),
    )
    expect(counted).toBe(body([answer(call), result]).replace('"m"', '"claude-sonnet-4-5"'))
  })

  it('comes with ids of tool calls that Claude takes', async () => {
    const named = (id: string) => answer(call.replace('"a"', `"${id}"`))
    const resultFor = (id: string) => result.replace('"a"', `"${id}"`)
    const sentIds = async (...ids: readonly string[]) => {
      const { sent } = await sentFor(body(ids.flatMap(id => [named(id), resultFor(id)])))
      return JSON.stringify(sent).match(/(?<="(?:id|tool_use_id)":")[^"]+/g)
    }
    expect(await sentIds('functions.f:0', 'toolu_1')).toEqual([
      ...Array(2).fill(expect.stringMatching(/^functions_f_0_\w+$/)),
      ...['toolu_1', 'toolu_1'],
    ])
  })

  it('stays for a model of another vendor that speaks Anthropic’s protocol', async () => {
    const text = body([answer(unsigned, call), result], thinking)
    const { sent } = await sentFor(text, 'kimi-k2-thinking')
    expect(sent).toEqual(JSON.parse(text.replace('"m"', '"kimi-k2-thinking"')))
  })
})

describe('a breakpoint of the prompt cache', () => {
  const breakpoint = { cache_control: { type: 'ephemeral', ttl: '1h' } }
  const body = {
    model: 'm',
    max_tokens: 5,
    system: [
      { type: 'text', text: 'Be brief.' },
      { type: 'text', text: 'Be kind.', ...breakpoint },
    ],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Hi', ...breakpoint }] },
      { role: 'assistant', content: 'Hello' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Note.' },
          { type: 'text', text: 'And?', ...breakpoint },
        ],
      },
    ],
  }

  it('of a client of Anthropic’s goes to OpenRouter where it stood', async () => {
    expect(await sentBy(openrouter, await anthropicCall(JSON.stringify(body)))).toEqual([
      {
        role: 'system',
        content: [
          { type: 'text', text: 'Be brief.\n\n' },
          { type: 'text', text: 'Be kind.', ...breakpoint },
        ],
      },
      ...body.messages,
    ])
  })

  it('is left out elsewhere, where it makes no difference to the texts', async () => {
    expect(await sentBy(ollama, await anthropicCall(JSON.stringify(body)))).toEqual([
      { role: 'system', content: 'Be brief.\n\nBe kind.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Note.' },
          { type: 'text', text: 'And?' },
        ],
      },
    ])
  })

  it('is left out of instructions in the other role too', async () => {
    const { messages } = await anthropicCall(JSON.stringify(body))
    expect(messagesFor(messages, { role: 'developer' })[0]).toEqual({
      role: 'developer',
      content: 'Be brief.\n\nBe kind.',
    })
  })

  it('on a whole message of a chat client is that of its last part at Claude', async () => {
    const call = await openAiCall(
      JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi', ...breakpoint }] }),
    )
    const { sent } = await anthropicExchange(call)
    expect(sent).toMatchObject({
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', ...breakpoint }] }],
    })
  })
})
