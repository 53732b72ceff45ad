import { describe, expect, it } from 'vitest'
import { type RunDeps, running } from '#lib/batch/run.ts'
import type { Claim, V1Request } from '#lib/batch/types.ts'
import { type ErrorCode, GatewayError } from '#lib/errors.ts'
import { ActiveRequests } from '#lib/http/active-requests.ts'
import { v1Item } from '#lib/http/dialects/v1-item.ts'
import type { Call, Reply, ReplyEvent, Usage } from '#lib/llm/types.ts'
import { beginAttempt } from '#lib/request-context.ts'
import { ResponseService } from '#lib/responses/service.ts'
import { vendorObjects } from '#lib/vendor-objects/assert-own.ts'
import { batches, replyOf, TARGET, text } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const FINISH: ReplyEvent = { type: 'finish', reason: 'stop' }

const claimOf = (clock: FakeClock, changes: Partial<Claim>): Claim => ({
  jobId: 'batch_1',
  index: 7,
  fence: 5,
  attempt: 2,
  lostRuns: 0,
  failures: 0,
  startedAt: clock.now(),
  claimedAt: clock.now(),
  leaseUntil: clock.now() + 20_000,
  owner: 'guest ada',
  request: { prompt: 'Hello', maxTokens: 10, cache: 'default', fallback: true },
  ...changes,
})

/** Runs one item whose answer is made here. */
const setting = (answer: (call: Call) => Promise<Reply>) => {
  const clock = new FakeClock()
  const activeRequests = new ActiveRequests()
  const calls: Call[] = []
  const ends: { requestId: string; code: ErrorCode | undefined; open: number }[] = []
  const responses = new ResponseService({
    records: undefined,
    clock,
    keepMs: 0,
    mostCharacters: 0,
    onNotStored: () => {},
  })
  const objects = vendorObjects({
    isAllowed: () => false,
    ownIds: (caller, ids) => responses.ownIds(caller, ids),
  })
  const v1 = { clock, responses, vendorObjects: objects, modelNamed: (name: string) => name }
  const parts: RunDeps = {
    answer: call => {
      calls.push(call)
      return answer(call)
    },
    v1: {
      item: (context, request, deadlineAt) => v1Item(context, request, deadlineAt, v1),
      maxResponseBytes: 20_000,
    },
    evaluation: () => {
      throw new Error('No item of this test is one of an evaluation.')
    },
    defaultModel: () => 'mock/echo',
    maxResponseBytes: 5_000,
    firstContentMs: 60_000,
    open: client => activeRequests.open(client),
    clock,
    shared: clock,
    random: () => 0,
    hasOthers: false,
    onEnd: async ({ requestId }, error) => {
      ends.push({ requestId, code: error?.code, open: activeRequests.count })
    },
  }
  const worker = new AbortController()
  const run = (changes: Partial<Claim> = {}) => running(parts)(claimOf(clock, changes), worker.signal)
  return { clock, activeRequests, worker, calls, ends, run }
}

const answering = (...parts: readonly (readonly ReplyEvent[])[]) =>
  setting(async () => replyOf(batches(...parts)))
const costing = (usage: Usage) =>
  setting(async () => ({ ...replyOf(batches(text('ok'), [FINISH])), usage: Promise.resolve(usage) }))
const failing = (error: unknown) =>
  setting(async () => {
    throw error
  })

describe('a run of an item', () => {
  it('is one answer, whatever pieces it comes in', async () => {
    const { run } = answering(text('Grü'), text('ße', ' '), [], [...text('🎉'), FINISH])
    expect(await run()).toEqual({
      state: 'succeeded',
      answer: {
        content: 'Grüße 🎉',
        finishReason: 'stop',
        truncated: false,
        target: TARGET,
        usage: { inputTokens: 1, outputTokens: 2 },
        cache: 'miss',
      },
    })
  })

  it('may come to an empty answer', async () => {
    expect(await answering([FINISH]).run()).toMatchObject({ state: 'succeeded', answer: { content: '' } })
  })

  it('says where the answer was cut off, and where it comes from', async () => {
    const finish: ReplyEvent = { type: 'finish', reason: 'length', truncated: true }
    const { run } = setting(async () => {
      const reply = replyOf(batches(text('ab'), [finish]))
      return { ...reply, head: { ...reply.head, cache: 'hit' } }
    })
    expect(await run()).toMatchObject({ answer: { finishReason: 'length', truncated: true, cache: 'hit' } })
  })

  it('costs what its usage says, and the usage is reported without it', async () => {
    const outcome = await costing({
      inputTokens: 3,
      outputTokens: 4,
      reasoningTokens: 1,
      costPicoUsd: 250_000,
    }).run()
    expect(outcome).toMatchObject({ answer: { costPicoUsd: 250_000 } })
    expect(outcome.state === 'succeeded' && outcome.answer.usage).toEqual({
      inputTokens: 3,
      outputTokens: 4,
      reasoningTokens: 1,
    })
  })

  it('may cost nothing, which is not the same as an unknown price', async () => {
    const free = await costing({ inputTokens: 3, outputTokens: 4, costPicoUsd: 0 }).run()
    expect(free).toMatchObject({ answer: { costPicoUsd: 0 } })
    const unpriced = await costing({ inputTokens: 3, outputTokens: 4 }).run()
    expect(unpriced.state === 'succeeded' && 'costPicoUsd' in unpriced.answer).toBe(false)
  })
})

describe('a run’s call', () => {
  it('asks in the name of the job’s owner, in the background, for no more than allowed', async () => {
    const { clock, calls, run } = answering([FINISH])
    await run({
      request: { prompt: 'Hello', temperature: 0, maxTokens: 10, cache: 'refresh', fallback: false },
    })
    expect(calls).toMatchObject([
      {
        requestId: 'batch_1:7:5',
        caller: { kind: 'guest', id: 'ada' },
        messages: [{ role: 'user', content: 'Hello' }],
        model: 'mock/echo',
        temperature: 0,
        maxOutputTokens: 10,
        cache: 'refresh',
        fallback: false,
        background: true,
        maxResponseBytes: 5_000,
        deadlineAt: clock.now() + 60_000,
      },
    ])
  })

  it('says what the item asks below the job’s instruction', async () => {
    const { calls, run } = answering([FINISH])
    await run({ instruction: 'Be brief.' })
    const messages = [{ role: 'user' as const, content: 'Hello' }]
    await run({
      instruction: 'Be brief.',
      request: { messages, maxTokens: 10, cache: 'default', fallback: true },
    })
    expect(calls).toMatchObject([
      { messages: [{ role: 'user', content: 'Be brief.\n\nHello' }] },
      { messages: [{ role: 'system', content: 'Be brief.' }, ...messages] },
    ])
  })

  it('asks what the item asks, of the model that it names', async () => {
    const { calls, run } = answering([FINISH])
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
    ] as const
    await run({
      owner: 'address 192.0.2.1',
      request: { messages: [...messages], model: 'a/b', maxTokens: 10, cache: 'default', fallback: true },
    })
    expect(calls).toMatchObject([
      { messages, model: 'a/b', caller: { kind: 'anonymous', address: '192.0.2.1' } },
    ])
  })

  it('is aborted when the worker aborts the run', async () => {
    const { activeRequests, worker, ends, run } = setting(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    const outcome = run()
    worker.abort()
    expect(await outcome).toMatchObject({ state: 'failed', fault: { code: 'CLIENT_GONE' } })
    expect([activeRequests.count, ends.length]).toEqual([0, 1])
  })

  it('is aborted when the gateway stops, and the item is begun again by another one', async () => {
    const { clock, activeRequests, run } = setting(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    const outcome = run()
    expect(activeRequests.count).toBe(1)
    await activeRequests.abortAll(new GatewayError('SHUTTING_DOWN'))
    expect(await outcome).toMatchObject({ state: 'again', notBefore: clock.now(), countsAs: 'attempt' })
  })
})

describe('a run that fails', () => {
  it('before its answer began is decided by what it failed with', async () => {
    const busy = failing(new GatewayError('PROVIDER_RATE_LIMIT', 'Busy.', { retryAfterSeconds: 9 }))
    expect(await busy.run()).toMatchObject({
      state: 'again',
      notBefore: busy.clock.now() + 9_000,
      countsAs: 'nothing',
    })
    const refused = failing(new GatewayError('CONTENT_BLOCKED', 'No.'))
    expect(await refused.run()).toEqual({
      state: 'failed',
      fault: { code: 'CONTENT_BLOCKED', message: 'No.', retryable: false },
    })
  })

  it('has begun where a provider was asked, also one that was busy', async () => {
    const { run } = setting(async call => {
      beginAttempt(call, TARGET, call.startedAt)
      throw new GatewayError('PROVIDER_RATE_LIMIT', 'Busy.')
    })
    expect(await run()).toMatchObject({ state: 'again', countsAs: 'attempt' })
  })

  it('within its answer is decided like any other', async () => {
    const error = new GatewayError('NETWORK', 'Gone.')
    const broken = answering(text('Half an'), [{ type: 'error', error }])
    expect(await broken.run()).toMatchObject({
      state: 'again',
      countsAs: 'failure',
      fault: { code: 'NETWORK' },
    })
    expect(await broken.run({ failures: 2 })).toEqual({
      state: 'failed',
      fault: { code: 'NETWORK', message: 'Gone.', retryable: true },
    })
  })

  it('where the answer ends without an end is the provider’s fault, and no answer', async () => {
    expect(await answering(text('Half an')).run()).toMatchObject({
      state: 'again',
      countsAs: 'failure',
      fault: { code: 'PROVIDER_ERROR', message: "The provider's stream ended without a finish event." },
    })
  })

  it('for a reason of our own says nothing of it', async () => {
    const outcome = await failing(new TypeError('x is undefined')).run({ failures: 2 })
    expect(outcome).toEqual({
      state: 'failed',
      fault: {
        code: 'INTERNAL_ERROR',
        message: 'Something went wrong on our side. Please try again.',
        retryable: true,
      },
    })
  })
})

describe('a run’s end', () => {
  const error = new GatewayError('NETWORK')
  it.each<[string, ReturnType<typeof setting>, ErrorCode | undefined]>([
    ['an answer', answering(text('ok'), [FINISH]), undefined],
    ['a failure before the answer', failing(error), 'NETWORK'],
    ['a failure within the answer', answering(text('ok'), [{ type: 'error', error }]), 'NETWORK'],
    ['an answer without an end', answering(text('ok')), 'PROVIDER_ERROR'],
    ['a fault of ours', failing('anything'), 'INTERNAL_ERROR'],
  ])(
    'is reported once with what went wrong, and the work is closed then: %s',
    async (_, { activeRequests, ends, run }, code) => {
      await run()
      expect(ends).toEqual([{ requestId: 'batch_1:7:5', code, open: 1 }])
      expect(activeRequests.count).toBe(0)
    },
  )
})

describe('an item whose owner is of a kind that this gateway does not know', () => {
  it('is not run for another owner: it fails as a fault of ours, and the work is closed', async () => {
    const { activeRequests, calls, run } = answering(text('ok'), [FINISH])
    expect(await run({ owner: 'member 17' })).toMatchObject({
      state: 'again',
      countsAs: 'failure',
      fault: { code: 'INTERNAL_ERROR' },
    })
    expect(await run({ owner: 'member 17', failures: 2 })).toMatchObject({ state: 'failed' })
    expect([calls, activeRequests.count]).toEqual([[], 0])
  })
})

describe('an item that was cut off again and again', () => {
  it('is not begun a 26th time', async () => {
    const { activeRequests, calls, ends, run } = answering([FINISH])
    expect(await run({ lostRuns: 25 })).toEqual({
      state: 'failed',
      fault: {
        code: 'INTERNAL_ERROR',
        message: 'The item was interrupted too often before it finished.',
        retryable: true,
      },
    })
    expect([calls, ends, activeRequests.count]).toEqual([[], [], 0])
  })

  it('is begun a 25th time, and any number of times where it only waited', async () => {
    const { calls, run } = answering([FINISH])
    await run({ lostRuns: 24 })
    await run({ attempt: 400 })
    expect(calls).toHaveLength(2)
  })
})

describe('a request of /v1', () => {
  const request = (body: object, url: V1Request['url'] = '/v1/chat/completions') => ({
    request: { url, model: 'gpt-4o', json: JSON.stringify(body) },
  })
  const messages = [{ role: 'user', content: 'Hello' }]
  const ask = (more: object = {}) => request({ model: 'gpt-4o', messages, ...more })
  const wire = (json: string): ReplyEvent => ({ type: 'wire', format: 'openai-chat', json })

  it('is asked whole, as it was written, and keeps the upstream’s answer byte for byte, in one line', async () => {
    const { calls, run } = answering([wire('{"id":"x",\r\n "n": 1.50}'), ...text('ok'), FINISH])
    expect(await run(ask({ seed: 7 }))).toEqual({
      state: 'succeeded',
      answer: {
        content: '',
        finishReason: 'stop',
        truncated: false,
        target: TARGET,
        usage: { inputTokens: 1, outputTokens: 2 },
        cache: 'miss',
        v1: { requestId: 'batch_1:7:5', json: '{"id":"x",  "n": 1.50}' },
      },
    })
    expect(calls[0]).toMatchObject({
      stream: false,
      background: true,
      route: '/v1/batches',
      raw: { format: 'openai-chat', json: ask({ seed: 7 }).request.json },
    })
  })

  it.each([
    ['a body that the route refuses', ask({ messages: [] }), 'messages'],
    ['a stream', ask({ stream: true }), 'stream'],
    ['embeddings of nothing', request({ model: 'm', input: '' }, '/v1/embeddings'), 'input'],
    ['a message without max_tokens', request({ model: 'm', messages }, '/v1/messages'), 'max_tokens'],
  ])('fails at once for %s, and names the field', async (_, claim, path) => {
    const { calls, run } = answering([FINISH])
    const outcome = await run(claim)
    expect(outcome).toMatchObject({
      state: 'failed',
      fault: { code: 'INVALID_INPUT', v1: { requestId: 'batch_1:7:5', details: [{ path }] } },
    })
    expect(calls).toEqual([])
  })

  it('keeps an upstream’s own words for its refusal', async () => {
    const refusal = { status: 422, message: 'no', type: 'odd', code: 'teapot' }
    const { run } = failing(new GatewayError('INVALID_INPUT', 'no', { refusal }))
    expect(await run(ask())).toMatchObject({ state: 'failed', fault: { v1: { refusal } } })
  })

  it.each<[string, readonly ReplyEvent[]]>([
    ['of text', text('a'.repeat(15_000), 'b'.repeat(5_000))],
    ['in the upstream’s form', [wire(`{"a":"${'a'.repeat(19_992)}"}`), ...text('a'.repeat(19_000))]],
    ['of bytes', [{ type: 'body-bytes', bytes: Buffer.from(`"${'ü'.repeat(9_999)}"`) }]],
  ])('is stored whole at 20,000 bytes %s, and fails for good at one more', async (_, events) => {
    const url = events[0]?.type === 'body-bytes' ? '/v1/embeddings' : '/v1/chat/completions'
    const claim = url === '/v1/embeddings' ? request({ model: 'm', input: 'a' }, url) : ask()
    expect(await answering([...events, FINISH]).run(claim)).toMatchObject({ state: 'succeeded' })
    const [first, ...rest] = events
    const longer = first?.type === 'wire' ? wire(`${first.json} `) : first
    const more = first?.type === 'body-bytes' ? [{ ...first, bytes: Buffer.from('x') }] : text('x')
    const changed = [longer, ...rest, ...(first?.type === 'wire' ? [] : more)] as ReplyEvent[]
    expect(await answering(changed, [FINISH]).run(claim)).toMatchObject({
      state: 'failed',
      fault: { code: 'PROVIDER_ERROR', retryable: false, message: expect.stringContaining('20,000 bytes') },
    })
  })

  it('is retried like any other where the failure may pass', async () => {
    const { run } = failing(new GatewayError('PROVIDER_ERROR'))
    expect(await run(ask())).toMatchObject({ state: 'again', countsAs: 'failure' })
  })
})
