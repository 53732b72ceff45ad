import { describe, expect, it } from 'vitest'
import { chatRequest } from '#lib/llm/providers/shared/chat-request.ts'
import type { Message } from '#lib/llm/types.ts'
import { anthropicExchange } from '../../support/anthropic-exchange.ts'
import { newCall, TARGET } from '../../support/calls.ts'
import { openAiCall } from '../../support/dialect-calls.ts'

type Sent = Readonly<{ messages: readonly unknown[]; system?: unknown; tools?: readonly unknown[] }>

const sentFor = async (messages: readonly Message[]): Promise<Sent> =>
  (await anthropicExchange({ messages })).sent as Sent

describe('a message without content', () => {
  it('of the assistant is left out, but for its tool calls', async () => {
    const empty: readonly Message[] = [
      { role: 'assistant', content: '' },
      { role: 'assistant', content: [{ type: 'text', text: ' \n' }] },
      { role: 'assistant', content: '', reasoning: [{ text: 'Hm.' }] },
    ]
    for (const message of empty) {
      const { messages } = await sentFor([
        { role: 'user', content: 'Hi' },
        message,
        { role: 'user', content: 'You?' },
      ])
      expect(messages).toEqual([
        { role: 'user', content: 'Hi' },
        { role: 'user', content: 'You?' },
      ])
    }
    const toolCalls = [{ id: 'a', name: 'weather', arguments: '{}' }]
    const { messages } = await sentFor([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: '', toolCalls },
    ])
    expect(messages).toHaveLength(2)
  })

  it.each([
    ['', ''],
    [' \n', ' \n'],
    ['parts', [{ type: 'text', text: '' }]],
  ] as const)('of a user is a placeholder: %o', async (_, content) => {
    const { messages } = await sentFor([{ role: 'user', content }])
    expect(messages).toEqual([{ role: 'user', content: '(empty message)' }])
  })

  it('of a user after the results of tools is left out', async () => {
    const { messages } = await sentFor([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'a', name: 'weather', arguments: '{}' }] },
      { role: 'tool', toolCallId: 'a', content: '7' },
      { role: 'user', content: '' },
    ])
    expect(messages.at(-1)).toEqual({
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'a', content: '7' }],
    })
  })

  it('does not leave a conversation without messages', async () => {
    expect(await sentFor([{ role: 'system', content: 'Be brief.' }])).toMatchObject({
      system: 'Be brief.',
      messages: [{ role: 'user', content: '(no message)' }],
    })
    expect(await sentFor([{ role: 'system', content: ' ' }])).not.toHaveProperty('system')
  })
})

describe('a file', () => {
  const sourceOf = async (url: string, type: 'file' | 'image' = 'file') => {
    const { messages } = await sentFor([{ role: 'user', content: [{ type, url }] }])
    const [message] = messages as readonly { content: readonly { source: unknown }[] }[]
    return message?.content[0]?.source
  }

  it.each(['text/plain', 'text/markdown; charset=utf-8', 'TEXT/CSV', 'application/json'])(
    'of the type %s is sent as its text',
    async type => {
      const data = Buffer.from('Grüße').toString('base64')
      expect(await sourceOf(`data:${type};base64,${data}`)).toEqual({
        type: 'text',
        media_type: 'text/plain',
        data: 'Grüße',
      })
    },
  )

  it('of the type image/jpg has the name that Anthropic takes', async () => {
    const source = { type: 'base64', media_type: 'image/jpeg', data: 'AAAA' }
    expect(await sourceOf('data:image/jpg;base64,AAAA', 'image')).toEqual(source)
  })
})

describe('a breakpoint of the prompt cache in a request for chat completions', () => {
  const cache_control = { type: 'ephemeral', ttl: '1h' }
  const text = (words: string) => ({ type: 'text', text: words, cache_control })
  const BODY = {
    model: 'm',
    messages: [
      { role: 'system', content: [{ type: 'text', text: 'Be kind.' }, text('Be brief.')] },
      {
        role: 'user',
        content: [
          text('Look.'),
          { type: 'image_url', image_url: { url: 'https://a.test/b.png' }, cache_control },
          { type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA' }, cache_control },
        ],
      },
      { role: 'assistant', content: [text('I see.')] },
      { role: 'user', content: [{ type: 'text', text: 'And?' }] },
    ],
    tools: [
      { type: 'function', function: { name: 'weather' }, cache_control },
      { type: 'custom', custom: { name: 'patch' }, cache_control },
    ],
  }

  it('is sent to Claude, in system, messages and tools', async () => {
    const { messages, parameters, raw } = await openAiCall(JSON.stringify(BODY))
    const { sent, head } = await anthropicExchange({ messages, parameters, raw })
    expect(head.omitted).toBeUndefined()
    expect(sent).toMatchObject({
      system: [{ type: 'text', text: 'Be kind.' }, text('Be brief.')],
      messages: [
        {
          role: 'user',
          content: [text('Look.'), { type: 'image', cache_control }, { type: 'document', cache_control }],
        },
        { role: 'assistant', content: [text('I see.')] },
        { role: 'user', content: 'And?' },
      ],
      tools: [
        { name: 'weather', cache_control },
        { name: 'patch', cache_control },
      ],
    })
  })

  it('is not sent to other vendors in a translation, and stays in a body that passes on', async () => {
    const { messages, parameters, raw } = await openAiCall(JSON.stringify(BODY))
    const translated = chatRequest(
      newCall({ messages, parameters }),
      TARGET,
      { provider: 'other' },
      new Set(),
    )
    expect(JSON.stringify(translated)).not.toMatch(/cache_?control/i)
    const passed = chatRequest(
      newCall({ messages, parameters, raw }),
      TARGET,
      { provider: 'other' },
      new Set(),
    )
    expect(passed).toContain('cache_control')
  })
})
