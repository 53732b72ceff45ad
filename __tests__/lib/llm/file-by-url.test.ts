import { describe, expect, it } from 'vitest'
import { azureOpenai } from '#lib/llm/providers/azure-openai.ts'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import { gemini } from '#lib/llm/providers/gemini.ts'
import { mistral } from '#lib/llm/providers/mistral.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import { openrouter } from '#lib/llm/providers/openrouter.ts'
import type { Call, Message } from '#lib/llm/types.ts'
import { newAttempt, newCall, TARGET } from '../../support/calls.ts'
import { anthropicCall, bodyFor, openAiCall, responsesCall } from '../../support/dialect-calls.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { answering } from '../../support/wire-fixtures.ts'

const URL_OF_FILE = 'https://example.org/a.pdf'
const PDF = 'JVBERi0='
const DATA_URL = `data:application/pdf;base64,${PDF}`

const withFile = (url: string): readonly Message[] => [
  { role: 'user', content: [{ type: 'file', url, name: 'a.pdf' }] },
]

type Sent = Readonly<{
  url: string
  body: Readonly<{ messages: readonly unknown[]; input: readonly unknown[] }>
}>

/** What a vendor is sent for a call. */
const sentBy = async (definition: ProviderDefinition, call: Call, baseUrl?: string): Promise<Sent> => {
  const sent: Sent[] = []
  const post = answering(400, 'application/json', [Buffer.from('{}')])
  const provider = definition.create(
    providerDeps({
      ...(baseUrl && { baseUrl }),
      post: (address, content, signal) => {
        sent.push({ url: address.url, body: JSON.parse(String(content)) })
        return post(address, content, signal)
      },
    }),
  )
  const thrown = await provider
    .ask(call, { ...TARGET, provider: definition.id }, newAttempt())
    .catch(error => error)
  const [first] = sent
  if (!first) throw thrown
  return first
}

describe('a file by its URL', () => {
  it('goes over Responses to a vendor that has them', async () => {
    const { url, body } = await sentBy(openai, newCall({ messages: withFile(URL_OF_FILE) }))
    expect(url).toMatch(/\/responses$/)
    expect(body.input).toMatchObject([{ content: [{ type: 'input_file', file_url: URL_OF_FILE }] }])
    expect((await sentBy(openai, newCall({ messages: withFile(DATA_URL) }))).url).toMatch(/\/completions$/)
  })

  it.each([
    ['gemini', gemini, undefined],
    ['a deployment of Azure', azureOpenai, 'https://a.openai.azure.com/openai/deployments/gpt'],
  ])('is refused for %s, which takes data alone', async (_, definition, baseUrl) => {
    const source = { type: 'url', url: URL_OF_FILE }
    const messages = [{ role: 'user', content: [{ type: 'document', source }] }]
    const ofMessages = await anthropicCall(JSON.stringify({ model: 'm', max_tokens: 10, messages }))
    const input = [{ role: 'user', content: [{ type: 'input_file', file_url: URL_OF_FILE }] }]
    const ofResponses = await responsesCall(JSON.stringify({ model: 'm', input }))
    const calls = [
      [newCall({ messages: withFile(URL_OF_FILE) }), 'messages'],
      [ofMessages, 'messages'],
      [ofResponses, 'input'],
    ] as const
    for (const [call, path] of calls)
      await expect(sentBy(definition, call, baseUrl)).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        details: [{ path, message: 'has a file by its URL, which this model does not take: send its data' }],
      })
  })

  it('is written as each vendor takes it', async () => {
    const call = newCall({ messages: withFile(URL_OF_FILE) })
    expect((await sentBy(mistral, call)).body.messages).toEqual([
      {
        role: 'user',
        content: [{ type: 'document_url', document_url: URL_OF_FILE, document_name: 'a.pdf' }],
      },
    ])
    expect((await sentBy(openrouter, call)).body.messages).toEqual([
      { role: 'user', content: [{ type: 'file', file: { filename: 'a.pdf', file_data: URL_OF_FILE } }] },
    ])
  })

  it('passes on in a body of chat completions as the client wrote it', async () => {
    const content = [{ type: 'file', file: { file_data: URL_OF_FILE } }]
    const body = { model: 'm', messages: [{ role: 'user', content }] }
    const { body: sent } = await sentBy(openai, await openAiCall(JSON.stringify(body)))
    expect(sent.messages).toEqual(body.messages)
  })
})

describe('the data of a file', () => {
  it('is a PDF for Anthropic where it is base64 alone', async () => {
    const block = {
      type: 'document',
      source: { type: 'base64', media_type: 'application/pdf', data: PDF },
    }
    const content = [{ type: 'file', file: { file_data: PDF } }]
    const ofChat = await openAiCall(JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }))
    const input = [{ role: 'user', content: [{ type: 'input_file', file_data: PDF }] }]
    const ofResponses = await responsesCall(JSON.stringify({ model: 'm', input }))
    for (const call of [ofChat, ofResponses])
      expect(JSON.parse(bodyFor('anthropic-messages', call)).messages).toEqual([
        { role: 'user', content: [block] },
      ])
  })
})
