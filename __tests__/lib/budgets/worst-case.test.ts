import { describe, expect, it } from 'vitest'
import { clamped } from '#lib/budgets/clamp.ts'
import { OutputSizes } from '#lib/budgets/output-sizes.ts'
import { type WorstCaseDeps, WorstCases } from '#lib/budgets/worst-case.ts'
import { systemClock } from '#lib/clock.ts'
import { mayPassOn } from '#lib/gateway/providers.ts'
import { costOfTokens, highestTokenPrice } from '#lib/ledger/pricing.ts'
import type { ContentPart } from '#lib/llm/message.ts'
import type { Endpoint } from '#lib/llm/passthrough.ts'
import { countInputs } from '#lib/llm/passthrough-size.ts'
import { anthropic } from '#lib/llm/providers/anthropic/anthropic.ts'
import { messagesRequest } from '#lib/llm/providers/anthropic/request.ts'
import type { Price } from '#lib/llm/providers/definition.ts'
import { callPricesOf } from '#lib/llm/providers/prices/hosted-calls.ts'
import type { Call, RawRequest, Usage, WireFormat } from '#lib/llm/types.ts'
import { atOnce } from '#lib/loop-turns.ts'
import { membersOf } from '#lib/raw-json.ts'
import { Tokenizer } from '#lib/tokenizer/tokenizer.ts'
import { newCall, TARGET } from '../../support/calls.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const PRICE = { input: 2.5, output: 10, cachedInput: 1.25, cacheWrite: 3.125, audioInput: 40 }
const tokenizer = new Tokenizer(systemClock)

const usualPrice: WorstCaseDeps['priceOf'] = (_, { parameters }, inputTokens) =>
  highestTokenPrice(PRICE, {
    inputTokens,
    serviceTier: parameters?.serviceTier,
    writesForAnHour: () => false,
    at: 0,
  })

const worstCases = (contextTokens?: number, priceOf = usualPrice) =>
  new WorstCases({
    priceOf,
    unitPriceOf: ({ model }) => {
      if (model === 'speech') return { unit: 'character', usdPerMillion: 15 }
      if (model === 'recording') return { unit: 'second', usd: 0.0001 }
      return model === 'image'
        ? { unit: 'image', usd: { 'standard 1024x1024': 0.04, 'hd 1792x1024': 0.12 } }
        : undefined
    },
    callPricesOf: ({ provider }) => callPricesOf(provider === 'fake' ? 'anthropic' : provider),
    contextTokensOf: () => contextTokens,
    mayPassOn: ({ provider }, format) => provider === 'fake' || mayPassOn({ ...TARGET, provider }, format),
    outputLimitsOf: (target, call) =>
      target.provider === 'anthropic' ? anthropic.outputLimits?.(call, target) : undefined,
    outputTokensOf: () => 1_000,
    tokenizer,
  })

const nanoOf = (usage: Usage): number => Math.ceil(costOfTokens(usage, PRICE, 0).picoUsd / 1_000)
const asking = (content: string, changes: Partial<Call> = {}) =>
  newCall({ messages: [{ role: 'user', content }], ...changes })

const passing = (endpoint: Endpoint, model: string, fields: object, contextTokens?: number) => {
  const members = Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)] as const)
  const inputs = atOnce(countInputs(endpoint, members))
  const call = asking('', {
    passthrough: { endpoint, namesModel: true, body: { kind: 'json', members }, inputs },
  })
  return worstCases(contextTokens).of(call, { ...TARGET, model })?.nanoUsd
}

describe('the worst case of a call', () => {
  it('is never below its cost, whatever the text, by bytes and by the tokenizer, in every class of tokens', async () => {
    const random = seededRandom(7)
    const letters = [...'abc XYZ,.\n09{}"ßøщ漢字🎉']
    for (let round = 0; round < 40; round += 1) {
      const length = Math.floor(random() * 400)
      const content = Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join('')
      const call = asking(content, { maxOutputTokens: 1 + Math.floor(random() * 300) })
      const inputTokens = (await tokenizer.count([content])) + 7
      const cost = nanoOf({
        inputTokens,
        cacheWriteInputTokens: inputTokens,
        outputTokens: call.maxOutputTokens ?? 0,
      })
      const byBytes = worstCases().of(call, TARGET)?.nanoUsd ?? 0
      const counted = (await worstCases().counted(call, TARGET))?.nanoUsd ?? 0
      expect(counted).toBeGreaterThanOrEqual(cost)
      expect(byBytes).toBeGreaterThanOrEqual(counted)
    }
  })

  it('contains every answer that is asked for, tools, schemas, images and thinking', () => {
    const worst = (changes: Partial<Call>) => worstCases().of(asking('Hi', changes), TARGET)?.nanoUsd ?? 0
    const plain = worst({})
    expect(worst({ parameters: { choices: 3 } }) - plain).toBe(2 * 1_000 * 10_000)
    const parameters = { type: 'object', properties: { city: { type: 'string' } } }
    expect(worst({ parameters: { tools: [{ name: 'weather', parameters }] } })).toBeGreaterThan(plain)
    expect(worst({ parameters: { reasoningTokens: 500 } }) - plain).toBe(500 * 10_000)
    const image = { type: 'image', url: 'https://pictures.example/1.png' } as const
    expect(worst({ messages: [{ role: 'user', content: [image] }] }) - plain).toBeGreaterThan(6_240 * 2_500)
  })

  it('is bounded by the context window, since a longer prompt is refused', () => {
    const call = asking('word '.repeat(10_000), { maxOutputTokens: 100 })
    expect(worstCases(1_000).of(call, TARGET)?.nanoUsd).toBe(1_000 * 40_000 + 100 * 10_000)
  })

  it('says how long an answer an amount pays for', () => {
    const { output, nanoUsd } = worstCases().of(asking('Hi'), TARGET) ?? {}
    expect(output?.nanoUsdWith(1_000)).toBe(nanoUsd)
    const left = output?.nanoUsdWith(321) ?? 0
    expect(output?.tokensFor(left)).toBe(321)
    expect(output?.tokensFor(left - 1)).toBe(320)
    expect(output?.tokensFor(0)).toBeLessThan(0)
  })

  it('of images and speech is by their own unit, of an unknown kind of image the dearest', () => {
    expect(passing('audio/speech', 'speech', { input: 'x'.repeat(100) })).toBe(100 * 15_000)
    const standard = { n: 2, quality: 'standard', size: '1024x1024' }
    expect(passing('images/generations', 'image', standard)).toBe(2 * 40_000_000)
    expect(passing('images/generations', 'image', { n: 2 })).toBe(2 * 120_000_000)
  })

  it.each<[string, Endpoint, object, number]>([
    ['a text', 'embeddings', { input: 'word '.repeat(500) }, 1],
    ['a list of texts', 'embeddings', { input: ['word '.repeat(500), 'word '.repeat(500)] }, 2],
    ['one text as tokens', 'embeddings', { input: Array.from({ length: 500 }, () => 100_000) }, 1],
    ['texts as tokens', 'embeddings', { input: [1, 2, 3].map(() => Array(500).fill(1_000)) }, 3],
    ['texts to moderate', 'moderations', { input: Array(4).fill('word '.repeat(500)) }, 4],
    ['documents to rank', 'rerank', { query: 'Why?', documents: Array(5).fill('word '.repeat(500)) }, 5],
  ])('is bounded by the context window of each input: %s', (_, endpoint, fields, inputs) => {
    expect(passing(endpoint, 'model', fields, 100)).toBe(inputs * 100 * 40_000)
  })

  it('of a ranking contains the query with each document', () => {
    const ranking = (query: string) => passing('rerank', 'model', { query, documents: ['a', 'b', 'c'] }) ?? 0
    expect(ranking('x'.repeat(101)) - ranking('x')).toBe(3 * 100 * 40_000)
  })

  it('contains every answer to every prompt of a completion', () => {
    const worst = (fields: object) => (passing('completions', 'model', fields, 100) ?? 0) / 10_000
    const prompts = Array(20).fill('x'.repeat(100))
    expect(worst({ prompt: prompts, max_tokens: 50 })).toBe(20 * (100 * 4 + 50))
    expect(worst({ prompt: prompts, max_tokens: 50, n: 2, best_of: 3 })).toBe(20 * (100 * 4 + 3 * 50))
  })

  it('of speech that is billed by tokens is by the length of its text, digits and slow speech included', () => {
    const spoken = (fields: object) => ((passing('audio/speech', 'tokens', fields, 1) ?? 0) - 40_000) / 10_000
    expect(spoken({ input: 'x'.repeat(100) })).toBe(200)
    expect(spoken({ input: '漢'.repeat(100) })).toBe(600)
    expect(spoken({ input: '9'.repeat(100) })).toBe(2_200)
    expect(spoken({ input: 'x'.repeat(100), speed: 0.25 })).toBe(800)
    expect(spoken({ input: 'x'.repeat(100), speed: 4 })).toBe(200)
  })

  it('of edited images contains them at their size in tokens', () => {
    const image = { fileName: 'a.png', type: 'image/png', path: '/nowhere', bytes: 1_000 }
    const worst = (names: readonly string[]) => {
      const parts = names.map(name => ({ name, ...image }))
      const body = { kind: 'form', parts } as const
      const call = asking('', {
        passthrough: { endpoint: 'images/edits', namesModel: true, body, inputs: 1 },
      })
      return worstCases().of(call, { ...TARGET, model: 'tokens' })?.nanoUsd ?? 0
    }
    expect(worst(['image[]', 'image[]', 'mask']) - worst(['image[]'])).toBe(2 * 8_000 * 40_000)
    const urls = { images: [{ image_url: 'a' }, { image_url: 'b' }] }
    expect(passing('images/edits', 'tokens', urls)).toBeGreaterThan(2 * 8_000 * 40_000)
  })

  it('of a recording is by its bytes, at half a kilobyte a second: speech is no longer', () => {
    const parts = [
      { name: 'file', fileName: 'a.mp3', type: 'audio/mpeg', path: '/nowhere', bytes: 60_000 },
    ] as const
    const call = asking('', {
      passthrough: {
        endpoint: 'audio/transcriptions',
        namesModel: true,
        body: { kind: 'form', parts },
        inputs: 1,
      },
    })
    expect(worstCases().of(call, { ...TARGET, model: 'recording' })?.nanoUsd).toBe(120 * 100_000)
  })
})

const rawOf = (format: WireFormat, body: object): RawRequest => {
  const json = JSON.stringify(body)
  return { format, json, members: membersOf(json) }
}

describe('what is reserved for tools that the vendor runs', () => {
  const WINDOW = 200_000
  const window = WINDOW * 40_000
  const output = 100 * 10_000
  const searching = (
    tools: readonly object[],
    more: object = {},
    format: WireFormat = 'anthropic-messages',
  ) => asking('Hi', { raw: rawOf(format, { model: 'm', tools, ...more }), maxOutputTokens: 100 })
  const worst = (call: Call, contextTokens: number | undefined = WINDOW, provider = 'anthropic') =>
    worstCases(contextTokens).of(call, { ...TARGET, provider: provider === 'anthropic' ? 'fake' : provider })
      ?.nanoUsd

  it('is the context window for each of their rounds, and their fees', () => {
    const tool = { type: 'web_search_20250305', name: 'web_search', max_uses: 3 }
    expect(worst(searching([tool]))).toBe(4 * window + 3 * 10_000_000 + output)
    expect(worst(searching([{ ...tool, max_uses: undefined }]))).toBe(11 * window + 10 * 10_000_000 + output)
  })

  it('is bounded by the limit that a response of OpenAI’s has for all of them', () => {
    const tools = [{ type: 'web_search' }, { type: 'file_search', vector_store_ids: ['a'] }]
    const call = searching(tools, { max_tool_calls: 2 }, 'openai-responses')
    expect(worst(call, WINDOW, 'openai')).toBe(3 * window + 2 * 10_000_000 + 2 * 2_500_000 + output)
  })

  it.each([
    [{ mcp_servers: [{ type: 'url', url: 'https://tools.example' }] }, []],
    [{}, [{ type: 'mcp', server_url: 'https://tools.example' }]],
    [{}, [{ type: 'web_search_preview_2025_03_11' }]],
  ])('is reserved for servers and other names of them too: %o %o', (more, tools) => {
    const nanoUsd = worst(searching(tools, more, 'openai-responses'), WINDOW, 'openai') ?? 11 * window
    expect(nanoUsd).toBeGreaterThanOrEqual(11 * window)
  })

  it.each([
    [undefined, { type: 'web_search_20250305', name: 'web_search' }],
    [WINDOW, { type: 'advisor_20260301', name: 'advisor' }],
    [WINDOW, { type: '__proto__', name: 'none' }],
  ])('is not known where the context window or a fee is not: %o %o', (contextTokens, tool) => {
    const call = searching([tool])
    expect(worstCases(contextTokens).of(call, TARGET)).toBeUndefined()
  })

  it.each<[WireFormat, string, object, readonly object[]]>([
    ['openai-chat', 'anthropic', { web_search_options: {} }, []],
    ['openai-responses', 'anthropic', {}, [{ type: 'web_search' }]],
    ['anthropic-messages', 'openai', { mcp_servers: [{ url: 'https://tools.example' }] }, []],
    ['anthropic-messages', 'mistral', {}, [{ type: 'web_search_20250305', name: 'web_search' }]],
  ])('is nothing where a request is translated, which leaves them out: %s to %s, %o', (...asked) => {
    const [format, provider, more, tools] = asked
    const call = searching(tools, more, format)
    const own = format === 'anthropic-messages' ? 'anthropic' : 'openai'
    expect(worst(call, WINDOW, own) ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(11 * window)
    expect(worstCases(WINDOW).of(call, { ...TARGET, provider })?.nanoUsd).toBeLessThan(window)
  })

  it('is nothing for tools that the client runs', () => {
    const tools = ['custom', 'bash_20250124', 'text_editor_20250728', 'computer_20251124', 'memory_20250818']
    const call = searching(tools.map(type => ({ type, name: 'mine' })))
    expect(worst(call)).toBeLessThan(window)
    expect(worst(searching([{ name: 'mine', input_schema: {} }]))).toBeLessThan(window)
    const shell = { type: 'shell', environment: { type: 'local' } }
    expect(
      worst(searching([shell, { type: 'function', name: 'mine' }], {}, 'openai-responses')),
    ).toBeLessThan(window)
  })
})

describe('what is reserved for a document', () => {
  const reading = (part: ContentPart, contextTokens?: number) =>
    worstCases(contextTokens).of(asking('', { messages: [{ role: 'user', content: [part] }] }), TARGET)
      ?.nanoUsd

  it.each<ContentPart>([
    { type: 'file', url: 'https://documents.example/1.pdf' },
    { type: 'file', id: 'file_1' },
    { type: 'other', name: 'container_upload' },
    { type: 'other', name: 'video_url' },
  ])('is the context window where it is elsewhere, and unknown without one: %o', part => {
    expect(reading(part, 1_000_000)).toBe(1_000_000 * 40_000 + 1_000 * 10_000)
    expect(reading(part)).toBeUndefined()
  })

  it('is a token for each character of its base64, and at least 20,000', () => {
    const pdf = (length: number) =>
      reading({ type: 'file', url: `data:application/pdf;base64,${'A'.repeat(length)}` }) ?? 0
    expect(pdf(50_000) - pdf(10)).toBe(30_000 * 40_000)
    expect(pdf(10)).toBeGreaterThan(20_000 * 40_000)
  })

  it('is the context window where a response refers to texts that the vendor alone has', () => {
    const raw = rawOf('openai-responses', { model: 'm', previous_response_id: 'resp_1', input: 'Hi' })
    const worst = (changes: Partial<RawRequest>) =>
      worstCases(1_000_000).of(asking('Hi', { raw: { ...raw, ...changes } }), TARGET)?.nanoUsd ?? 0
    expect(worst({})).toBe(1_000_000 * 40_000 + 1_000 * 10_000)
    const members = membersOf('{"input":[{"id":"msg_1"}]}')
    expect(worst({ members, refersToItems: true })).toBe(worst({}))
    expect(worst({ resolved: { members: membersOf('{"input":"Hello. Hi"}') } })).toBeLessThan(1e9)
  })
})

describe('the output that is reserved for a call', () => {
  const CLAUDE = { provider: 'anthropic', model: 'claude-sonnet-4-5', name: 'claude-sonnet-4-5' }
  const chat = rawOf('openai-chat', { model: 'm', max_tokens: 16, reasoning_effort: 'high' })
  const responses = rawOf('openai-responses', { model: 'm', max_output_tokens: 16 })
  const messages = rawOf('anthropic-messages', { model: 'm', max_tokens: 20_000 })
  const high = { parameters: { reasoningEffort: 'high' }, maxOutputTokens: 16 }
  const free = () => ({ inputPicoUsd: 0, outputPicoUsd: 1_000 })
  const outputOf = (call: Call, target = TARGET) => worstCases(undefined, free).of(call, target)?.nanoUsd

  it.each<[string, Partial<Call>, number]>([
    ['chat completions with an effort', { raw: chat, ...high }, 16 + 16_384],
    ['Responses with an effort', { raw: responses, ...high }, 16 + 16_384],
    ['no other format with an effort', high, 16 + 16_384],
    ['tokens of reasoning', { raw: chat, ...high, parameters: { reasoningTokens: 500 } }, 16 + 1_024],
    ['an effort without thinking', { raw: chat, ...high, parameters: { reasoningEffort: 'none' } }, 16],
    ['no limit of its own', { raw: chat, maxOutputTokens: undefined }, 16_384],
  ])('is what Anthropic is asked for in a translated call: %s', (_, changes, tokens) => {
    const call = asking('Hi', changes)
    expect(messagesRequest(call, CLAUDE, new Set())).toMatchObject({ max_tokens: tokens })
    expect(outputOf(call, CLAUDE)).toBe(tokens)
    const shorter = clamped(call, 10)
    expect(messagesRequest(shorter, CLAUDE, new Set())).toMatchObject({
      max_tokens: outputOf(shorter, CLAUDE),
    })
  })

  it('is the limit that is written in a body that passes on: thinking is part of it', () => {
    const thinking = { parameters: { reasoningTokens: 10_000 }, maxOutputTokens: 20_000 }
    expect(outputOf(asking('Hi', { raw: messages, ...thinking }), CLAUDE)).toBe(20_000)
    expect(outputOf(asking('Hi', { raw: chat, ...high }))).toBe(16)
  })

  it('is by the larger of two limits in one body, of which a vendor may know either', () => {
    const both = rawOf('openai-chat', { model: 'm', max_tokens: 9_000, max_completion_tokens: 16 })
    const call = asking('Hi', { raw: both, maxOutputTokens: 16 })
    expect(outputOf(call)).toBe(9_000)
    expect(outputOf(clamped(call, 10))).toBe(10)
  })
})

describe('the prompt that is reserved for', () => {
  const tokensOf = (call: Call) =>
    worstCases(undefined, () => ({ inputPicoUsd: 1_000, outputPicoUsd: 0 })).of(call, TARGET)?.nanoUsd ?? 0

  const LONG = 'x'.repeat(900_000)
  const result = { type: 'search_result', content: [{ type: 'text', text: LONG }] }
  const other = { type: 'other', name: 'search_result' } as const
  const data = `AA/${'B'.repeat(3_000)}`
  const image = { type: 'image', url: `data:image/png;base64,${data}` } as const
  const source = { type: 'base64', media_type: 'image/png', data }

  it('contains a part of an unknown type by its length, beside media too', () => {
    const alone = { messages: [{ role: 'user' as const, content: [other] }] }
    const raw = rawOf('anthropic-messages', { messages: [{ role: 'user', content: [result] }] })
    expect(tokensOf(asking('', { ...alone, raw }))).toBeGreaterThan(900_000)
    const beside = { messages: [{ role: 'user' as const, content: [image, other] }] }
    const content = [{ type: 'image', source }, result]
    const both = rawOf('anthropic-messages', { messages: [{ role: 'user', content }] })
    expect(tokensOf(asking('', { ...beside, raw: both }))).toBeGreaterThan(900_000)
  })

  it('contains items that no message has', () => {
    const raw = rawOf('openai-responses', { input: [{ type: 'mcp_call', output: LONG }, { image: data }] })
    const call = asking('', { messages: [{ role: 'user', content: [image] }], raw })
    expect(tokensOf(call)).toBeGreaterThan(900_000)
    const { members } = raw
    const resolved = { members: [...members], knownTo: 'openai' }
    const referring = { ...rawOf('openai-responses', { previous_response_id: 'r' }), resolved }
    expect(tokensOf({ ...call, raw: referring })).toBeGreaterThan(900_000)
  })

  it('does not contain media as text, however their slashes are written', () => {
    const body = { messages: [{ role: 'user', content: [{ source }, { text: 'a' }, { source }] }] }
    const usual = rawOf('anthropic-messages', body)
    const json = usual.json.replaceAll('/', '\\/')
    const messages = [{ role: 'user' as const, content: [image, image] }]
    const text = usual.json.length - 2 * data.length
    const images = tokensOf(asking('', { messages }))
    expect(tokensOf(asking('', { messages, raw: usual })) - images).toBe(text)
    const escaped = { ...usual, json, members: membersOf(json) }
    expect(tokensOf(asking('', { messages, raw: escaped })) - images).toBeLessThan(text + 9)
  })

  it('is found in a moment where a body names media that it does not hold', () => {
    const content = Array.from({ length: 5_000 }, (_, at) => ({ ...image, url: `data:,${at}/${data}` }))
    const raw = rawOf('openai-chat', { text: LONG })
    const startedAt = performance.now()
    tokensOf(asking('', { messages: [{ role: 'user', content }], raw }))
    expect(performance.now() - startedAt).toBeLessThan(500)
  })
})

describe('the highest price of a token of input', () => {
  const inputOf = (price: Price, writesForAnHour: () => boolean) =>
    highestTokenPrice(price, { inputTokens: 1, serviceTier: undefined, writesForAnHour, at: 0 }).inputPicoUsd

  it('is that of an hour’s cache write where the call may make one, and it has a price of its own', () => {
    const claude = { input: 3, output: 15, cacheWrite: 3.75 }
    expect(inputOf(claude, () => false)).toBe(3_750_000)
    expect(inputOf(claude, () => true)).toBe(6_000_000)
    expect(inputOf({ ...claude, cacheWrite1h: 9 }, () => true)).toBe(9_000_000)
    const asUsual = costOfTokens(
      { inputTokens: 1, cacheWriteInputTokens: 1, cacheWrite1hInputTokens: 1, outputTokens: 0 },
      claude,
      0,
    )
    expect(asUsual.picoUsd).toBe(6_000_000)
  })

  it('does not depend on the body of a call, nor is that searched, where such writes have no price of their own', () => {
    const searched = (): never => {
      throw new Error('searched')
    }
    expect(inputOf({ input: 2.5, output: 10, cachedInput: 1.25 }, searched)).toBe(2_500_000)
    expect(inputOf({ input: 2.5, output: 10, cacheWrite: 1, audioInput: 40 }, searched)).toBe(40_000_000)
  })
})

describe('the length of an answer without a limit', () => {
  const ada = { kind: 'key', id: 'ada', name: 'Ada', role: 'member', address: '' } as const

  it('is the 99th percentile of the key’s own answers, and at least 1,000 tokens', () => {
    const sizes = new OutputSizes()
    expect(sizes.of(ada)).toBe(1_000)
    for (let size = 1; size <= 200; size += 1) sizes.record(ada, size * 20)
    expect(sizes.of(ada)).toBe(198 * 20)
    expect(sizes.of({ ...ada, id: 'bob' })).toBe(1_000)
    sizes.record({ ...ada, id: 'bob' }, 3_000)
    expect(sizes.of({ ...ada, id: 'bob' })).toBe(3_000)
  })
})
