import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import OpenAI, { toFile } from 'openai'
import type { Batch } from 'openai/resources/batches'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Json } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { PostgresServer } from '../support/postgres.ts'
import { type Behaviour, completion, echoes, refuses, sends } from '../support/upstream-behaviour.ts'

const MODEL = 'gpt-4o'
const ENDPOINT = '/v1/chat/completions'
const OPEN = new Set(['validating', 'in_progress', 'finalizing', 'cancelling'])

type Line = Readonly<Record<string, unknown>>
const chat = (id: string, content: string, more: object = {}): Line => ({
  custom_id: id,
  method: 'POST',
  url: ENDPOINT,
  body: { model: MODEL, messages: [{ role: 'user', content }], ...more },
})
const jsonl = (lines: readonly unknown[]): string => lines.map(line => `${JSON.stringify(line)}\n`).join('')

/** A client of one gateway, with what the tests do with it. */
/** Gateways on one database take no placeholders for keys. */
const ADMIN_TOKEN = 'q7Vt2mXc9LpR4sZk8HwJ1nYb'

class BatchUser {
  readonly client: OpenAI

  constructor(url: string, headers: Record<string, string> = {}, apiKey = 'placeholder') {
    this.client = new OpenAI({
      baseURL: `${url}/v1`,
      apiKey,
      maxRetries: 0,
      defaultHeaders: headers,
    })
  }

  upload(content: string, purpose: 'batch' | 'user_data' = 'batch') {
    return toFile(Buffer.from(content), 'requests.jsonl').then(file =>
      this.client.files.create({ file, purpose }),
    )
  }

  async start(content: string, endpoint: Batch['endpoint'] = ENDPOINT): Promise<Batch> {
    const { id } = await this.upload(content)
    return this.client.batches.create({
      input_file_id: id,
      endpoint: endpoint as typeof ENDPOINT,
      completion_window: '24h',
    })
  }

  async ended({ id }: Pick<Batch, 'id'>, withinMs = 90_000): Promise<Batch> {
    const retrieve = async () => {
      const batch = await this.client.batches.retrieve(id)
      if (OPEN.has(batch.status)) throw new Error(`it did not end: ${JSON.stringify(batch)}`)
      return batch
    }
    return vi.waitFor(retrieve, { timeout: withinMs })
  }

  async lines(id: string | undefined): Promise<Json[]> {
    if (!id) return []
    const text = await (await this.client.files.content(id)).text()
    return text
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line))
  }

  async run(content: string, endpoint?: Batch['endpoint']) {
    const batch = await this.ended(await this.start(content, endpoint))
    return {
      batch,
      output: await this.lines(batch.output_file_id ?? undefined),
      errors: await this.lines(batch.error_file_id ?? undefined),
    }
  }
}

const TOOL_CALL = {
  id: 'call_1',
  type: 'function',
  function: { name: 'weather', arguments: '{"city":"Köln"}' },
}
/** Pretty-printed, with a field and a number’s spelling of the vendor’s own. */
const callsATool = sends(
  [
    JSON.stringify(
      {
        ...completion('tools', '', 'tool_calls'),
        choices: [
          {
            index: 0,
            message: {
              role: 'assistant',
              content: null,
              reasoning_content: 'Two\nlines',
              tool_calls: [TOOL_CALL],
            },
            finish_reason: 'tool_calls',
            vendor_note: 1,
          },
        ],
      },
      null,
      2,
    ).replace('"vendor_note": 1', '"vendor_note": 1.50'),
  ],
  { type: 'application/json' },
)

const EMBEDDED = JSON.stringify({
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.1] }],
  model: 'text-embedding-3-small',
  usage: { prompt_tokens: 3, total_tokens: 3 },
})

describe.each(HOSTS)('files and batches of /v1 with the official client, under the %s server', host => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess
  let user: BatchUser

  beforeAll(async () => {
    upstream = await FakeUpstream.start()
    upstream
      .forModel(MODEL, echoes)
      .forModel('text-embedding-3-small', sends([EMBEDDED], { type: 'application/json' }))
      .forModel('gpt-4o-mini', callsATool)
    gateway = await GatewayProcess.start(host, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      ENABLE_CACHING: 'false',
      V1_MAX_STORED_BYTES: '2000000',
      TRUSTED_PROXY_HOPS: '1',
      BREAKER_FAILURES: '1000',
      BATCH_CONCURRENCY: '20',
    })
    user = new BatchUser(gateway.url)
  })
  afterAll(async () => {
    await gateway?.stop()
    await upstream?.stop()
  })

  const openAiError = (status: number, error: object) => ({ status, error: expect.objectContaining(error) })

  it('keeps a file byte for byte: created, retrieved, read, listed in pages, deleted', async () => {
    const { client } = user
    const content = 'Grüße\r\n\0🎉'
    const file = await user.upload(content, 'user_data')
    expect(file).toMatchObject({
      id: expect.stringMatching(/^file-[\da-f]{32}$/),
      object: 'file',
      bytes: Buffer.byteLength(content),
      filename: 'requests.jsonl',
      purpose: 'user_data',
      status: 'processed',
    })
    expect(Math.abs(file.created_at - Date.now() / 1000)).toBeLessThan(60)
    expect(file.expires_at).toBeUndefined()
    expect(await client.files.retrieve(file.id)).toEqual(file)
    expect(await client.files.waitForProcessing(file.id)).toEqual(file)
    expect(Buffer.from(await (await client.files.content(file.id)).arrayBuffer())).toEqual(
      Buffer.from(content),
    )

    const more = [file]
    for (const text of ['b', 'c']) more.push(await user.upload(text, 'user_data'))
    const found: string[] = []
    for await (const { id } of client.files.list({ purpose: 'user_data', limit: 2, order: 'asc' }))
      found.push(id)
    expect(found).toEqual(more.map(({ id }) => id))
    const newest = await client.files.list({ purpose: 'user_data', limit: 1 })
    expect([newest.data[0]?.id, newest.has_more]).toEqual([more[2]?.id, true])

    for (const { id } of more)
      expect(await client.files.delete(id)).toEqual({ id, object: 'file', deleted: true })
    await expect(client.files.retrieve(file.id)).rejects.toMatchObject(
      openAiError(404, { code: 'not_found' }),
    )
    await expect(client.files.content(file.id)).rejects.toMatchObject({ status: 404 })
    await expect(client.files.delete(file.id)).rejects.toMatchObject({ status: 404 })
  })

  it('honours expires_after, and refuses what it cannot store, in words', async () => {
    const { client } = user
    const file = await toFile(Buffer.from('x'), 'a.txt')
    const kept = await client.files.create({
      file,
      purpose: 'user_data',
      expires_after: { anchor: 'created_at', seconds: 3_600 },
    })
    expect(kept.expires_at).toBe(kept.created_at + 3_600)
    await client.files.delete(kept.id)
    const refused: readonly [object, string][] = [
      [{ file, purpose: 'nonsense' }, 'purpose'],
      [
        { file, purpose: 'batch', expires_after: { anchor: 'created_at', seconds: 5 } },
        'expires_after[seconds]',
      ],
      [{ file: await toFile(Buffer.from(''), 'a.txt'), purpose: 'batch' }, 'file'],
    ]
    for (const [body, param] of refused)
      await expect(client.files.create(body as never)).rejects.toMatchObject(openAiError(400, { param }))
    const form = new FormData()
    form.append('purpose', 'batch')
    const bare = await fetch(`${gateway.url}/v1/files`, { method: 'POST', body: form })
    expect([bare.status, (await bare.json()).error.param]).toEqual([400, 'file'])
    const json = await fetch(`${gateway.url}/v1/files`, { method: 'POST', body: '{}' })
    expect(json.status).toBe(415)
  })

  it('stores 2,000,000 bytes for an owner and no more: 429 insufficient_quota, not to be retried', async () => {
    const first = await user.upload('x'.repeat(1_500_000), 'user_data')
    const refused = await user.upload('x'.repeat(600_000), 'user_data').catch(error => error)
    expect(refused).toMatchObject(openAiError(429, { code: 'insufficient_quota' }))
    expect(refused.headers.get('x-should-retry')).toBe('false')
    await user.client.files.delete(first.id)
    const second = await user.upload('x'.repeat(600_000), 'user_data')
    await user.client.files.delete(second.id)
  })

  it('runs each line once, in OpenAI’s objects, and gives what the route itself answers', async () => {
    const before = upstream.calls.length
    const lines = Array.from({ length: 25 }, (_, index) =>
      chat(`line-${index}`, `Question ${index} of ${host}`),
    )
    const started = await user.client.batches.create({
      input_file_id: (await user.upload(jsonl(lines))).id,
      endpoint: ENDPOINT,
      completion_window: '24h',
      metadata: { project: 'Größe' },
    })
    expect(started).toMatchObject({
      id: expect.stringMatching(/^batch_[\da-f]{32}$/),
      object: 'batch',
      status: 'validating',
      endpoint: ENDPOINT,
      completion_window: '24h',
      expires_at: started.created_at + 86_400,
      metadata: { project: 'Größe' },
    })
    const batch = await user.ended(started)
    expect(batch).toMatchObject({
      status: 'completed',
      request_counts: { total: 25, completed: 25, failed: 0 },
      metadata: { project: 'Größe' },
      usage: { input_tokens: 25 * 7, output_tokens: 25 * 5, total_tokens: 25 * 12 },
      error_file_id: null,
    })
    const file = await user.client.files.retrieve(batch.output_file_id ?? '')
    const text = await (await user.client.files.content(file.id)).text()
    expect(file).toMatchObject({ purpose: 'batch_output', bytes: Buffer.byteLength(text) })
    const output = await user.lines(file.id)
    expect(output.map(line => line.custom_id)).toEqual(lines.map(line => line.custom_id))
    for (const [index, line] of output.entries())
      expect(line).toMatchObject({
        id: expect.stringMatching(/^batch_req_/),
        response: {
          status_code: 200,
          request_id: expect.any(String),
          body: completion(MODEL, `Question ${index} of ${host}`),
        },
        error: null,
      })
    const asked = upstream.calls.slice(before).map(({ asked: { messages } }) => messages[0]?.content)
    expect(asked.toSorted()).toEqual(lines.map((_, index) => `Question ${index} of ${host}`).toSorted())
  })

  it('gives a tool call as the route does live, byte for byte but for line breaks, and passes the body as written', async () => {
    const body = {
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: 'Weather?' }],
      seed: 7,
      odd: [1],
    }
    const written = JSON.stringify(body).replace('"seed":7', '"seed": 7.0')
    const live = await fetch(`${gateway.url}${ENDPOINT}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: written,
    })
    const line = `{"custom_id":"a","method":"POST","url":"${ENDPOINT}","body":${written}}`
    const { batch } = await user.run(line)
    const text = await (await user.client.files.content(batch.output_file_id ?? '')).text()
    const liveText = await live.text()
    expect(text).toContain('"vendor_note": 1.50')
    expect(JSON.parse(text).response.body).toEqual(JSON.parse(liveText))
    const [asLive, asItem] = upstream.callsFor('gpt-4o-mini').slice(-2)
    expect(asItem?.body).toBe(asLive?.body)
    expect(asItem?.body).toContain('"seed":7.0')
  })

  it('embeds too, and answers a failed line with the status and body of its route', async () => {
    const embedded = await user.run(
      jsonl([
        {
          custom_id: 'e',
          method: 'POST',
          url: '/v1/embeddings',
          body: { model: 'text-embedding-3-small', input: 'a' },
        },
      ]),
      '/v1/embeddings',
    )
    expect(embedded.output[0].response.body).toEqual(JSON.parse(EMBEDDED))
    expect(embedded.batch.usage).toMatchObject({ input_tokens: 3 })

    const model = 'gpt-4o-2024-08-06'
    upstream.forModel(
      model,
      refuses(400, {
        body: '{"error":{"message":"odd","type":"invalid_request_error","param":"seed","code":"odd"}}',
      }),
    )
    const { batch, output, errors } = await user.run(
      jsonl([chat('good', 'Hi'), chat('refused', 'Hi', { model }), chat('wrong', 'Hi', { messages: [] })]),
    )
    expect(batch).toMatchObject({
      status: 'completed',
      request_counts: { total: 3, completed: 1, failed: 2 },
    })
    expect(output.map(line => line.custom_id)).toEqual(['good'])
    expect(errors).toMatchObject([
      {
        custom_id: 'refused',
        response: { status_code: 400, body: { error: { message: 'odd', param: 'seed', code: 'odd' } } },
        error: null,
      },
      {
        custom_id: 'wrong',
        response: { status_code: 400, body: { error: { param: 'messages', type: 'invalid_request_error' } } },
        error: null,
      },
    ])
  })

  it('stores 20 MB of embeddings as they came, and fails an answer of 50 MB: 502, in its line', async () => {
    const numbers = (bytes: number): Behaviour =>
      sends([`{"object":"list",\n"data":[${'0.125,\n'.repeat(bytes / 7)}0]}`], { type: 'application/json' })
    upstream.forModel('text-embedding-3-large', numbers(20_000_000))
    upstream.forModel('text-embedding-ada-002', numbers(50_000_000))
    const line = (id: string, model: string) => ({
      custom_id: id,
      method: 'POST',
      url: '/v1/embeddings',
      body: { model, input: 'a' },
    })
    const { output, errors } = await user.run(
      jsonl([line('long', 'text-embedding-3-large'), line('longer', 'text-embedding-ada-002')]),
      '/v1/embeddings',
    )
    expect(output.map(({ custom_id, response }) => [custom_id, response.body.data.length])).toEqual([
      ['long', Math.floor(20_000_000 / 7) + 1],
    ])
    expect(errors).toMatchObject([
      {
        custom_id: 'longer',
        response: {
          status_code: 502,
          body: { error: { code: 'provider_error', message: expect.stringContaining('33,554,432 bytes') } },
        },
      },
    ])
  })

  it('fails a batch whose file has faults, names each with its line, and asks nothing', async () => {
    const before = upstream.calls.length
    const good = chat('a', 'Hi')
    const { status, errors, request_counts, output_file_id } = await user.ended(
      await user.start(
        `${jsonl([
          good,
          good,
          { ...chat('b', 'Hi'), method: 'GET' },
          { ...chat('c', 'Hi'), url: '/v1/embeddings' },
          { ...chat('d', 'Hi'), body: 'x' },
          chat('e', 'Hi', { model: 'no-such-model' }),
          chat('f', 'Hi', { stream: true }),
          { ...chat('g', 'Hi'), custom_id: undefined },
        ])}{"custom_id":\n[]\n`,
      ),
    )
    expect([status, output_file_id, request_counts?.total]).toEqual(['failed', null, 0])
    expect(errors?.data?.map(({ code, line, param }) => [code, line, param])).toEqual([
      ['duplicate_custom_id', 2, 'custom_id'],
      ['invalid_method', 3, 'method'],
      ['invalid_url', 4, 'url'],
      ['missing_required_parameter', 5, 'body'],
      ['model_not_found', 6, 'body.model'],
      ['invalid_request', 7, 'body.stream'],
      ['missing_required_parameter', 8, 'custom_id'],
      ['invalid_json_line', 9, null],
      ['invalid_json_line', 10, null],
    ])
    const empty = await user.ended(await user.start('\n \n'))
    expect([empty.status, empty.errors?.data?.[0]?.code]).toEqual(['failed', 'empty_file'])
    expect(upstream.calls.length).toBe(before)
  })

  it('refuses a batch that is none: its file, endpoint, window or metadata', async () => {
    const { client } = user
    const file = await user.upload(jsonl([chat('a', 'Hi')]))
    const data = await user.upload('x', 'user_data')
    const good = { input_file_id: file.id, endpoint: ENDPOINT, completion_window: '24h' } as const
    const refused: readonly [object, string][] = [
      [{ ...good, input_file_id: 'file-none' }, 'input_file_id'],
      [{ ...good, input_file_id: data.id }, 'input_file_id'],
      [{ ...good, endpoint: '/v1/messages' }, 'endpoint'],
      [{ ...good, completion_window: '1h' }, 'completion_window'],
      [{ ...good, metadata: { a: 'x'.repeat(513) } }, 'metadata.a'],
    ]
    for (const [body, param] of refused)
      await expect(client.batches.create(body as never)).rejects.toMatchObject(openAiError(400, { param }))
    for (const id of ['batch_none', `batch_${'0'.repeat(32)}`])
      await expect(client.batches.retrieve(id)).rejects.toMatchObject(openAiError(404, { code: 'not_found' }))
    for (const { id } of [file, data]) await client.files.delete(id)
  })

  it('lists batches in pages, newest first, and keeps them out of /api/batch', async () => {
    const ids: string[] = []
    for await (const { id } of user.client.batches.list({ limit: 2 })) ids.push(id)
    expect(ids.length).toBeGreaterThan(4)
    expect(new Set(ids).size).toBe(ids.length)
    const { jobs } = await (await fetch(`${gateway.url}/api/batch/jobs`)).json()
    expect(jobs).toEqual([])
    await expect(user.client.batches.list({ after: 'batch_none' })).rejects.toMatchObject({ status: 400 })
  })

  it('cancels: what has ended stays, the rest is named, and no request is asked afterwards', async () => {
    const model = 'gpt-4o-2024-05-13'
    const isOpen = Promise.withResolvers<void>()
    const stalls: Behaviour = () => isOpen.resolve()
    upstream.forModel(model, (response, asked, signal) =>
      (asked.messages[0]?.content === 'first' ? echoes : stalls)(response, asked, signal),
    )
    const lines = [
      chat('first', 'first', { model }),
      ...Array.from({ length: 40 }, (_, index) => chat(`${index}`, `${index}`, { model })),
    ]
    const started = await user.start(jsonl(lines))
    await isOpen.promise
    await gateway.until(() => upstream.callsFor(model).find(call => call.finishedAt), 'the first answer')
    const completed = async () => (await user.client.batches.retrieve(started.id)).request_counts?.completed
    await expect.poll(completed, { timeout: 30_000 }).toBe(1)
    const cancelling = await user.client.batches.cancel(started.id)
    expect(['cancelling', 'cancelled']).toContain(cancelling.status)
    const batch = await user.ended(started)
    expect(batch).toMatchObject({
      status: 'cancelled',
      request_counts: { total: 41, completed: 1, failed: 0 },
    })
    expect(batch.cancelled_at).toBeGreaterThan(0)
    expect((await user.lines(batch.output_file_id)).map(line => line.custom_id)).toEqual(['first'])
    const rest = await user.lines(batch.error_file_id)
    expect(rest).toHaveLength(40)
    expect(rest[0]).toMatchObject({ response: null, error: { code: 'batch_cancelled' } })
    const calls = upstream.callsFor(model).length
    // The worker has been through its items since, for another batch.
    await user.ended(await user.start(jsonl([chat('later', 'later')])))
    expect(upstream.callsFor(model).length).toBe(calls)
    await expect(user.client.batches.cancel(started.id)).rejects.toMatchObject({ status: 409 })
  })

  const cookieOf = async () => {
    const session = await fetch(`${gateway.url}/api/session`, { method: 'POST' })
    return { cookie: session.headers.get('set-cookie')?.split(';')[0] ?? '' }
  }

  it.each([
    ['a session', cookieOf],
    ['another address', async () => ({ 'x-forwarded-for': '198.51.100.7' })],
  ])('shows the files and batches of %s to their owner alone', async (_, headers) => {
    const guest = new BatchUser(gateway.url, await headers())
    const { batch } = await guest.run(jsonl([chat('a', `Mine under ${host}`)]))
    expect(batch.status).toBe('completed')
    expect((await guest.client.batches.list()).data.map(({ id }) => id)).toEqual([batch.id])
    for (const id of [batch.input_file_id, batch.output_file_id ?? '']) {
      await expect(user.client.files.retrieve(id)).rejects.toMatchObject({ status: 404 })
      await expect(user.client.files.content(id)).rejects.toMatchObject({ status: 404 })
      await expect(user.client.files.delete(id)).rejects.toMatchObject({ status: 404 })
    }
    await expect(user.client.batches.retrieve(batch.id)).rejects.toMatchObject({ status: 404 })
    await expect(user.client.batches.cancel(batch.id)).rejects.toMatchObject({ status: 404 })
    const create = user.client.batches.create({
      input_file_id: batch.input_file_id,
      endpoint: ENDPOINT,
      completion_window: '24h',
    })
    await expect(create).rejects.toMatchObject(openAiError(400, { param: 'input_file_id' }))
  })

  // Lines are run by the same code under both servers: under Next a tenth, for what its routes add.
  const LINES = host === 'native' ? 5_000 : 500
  it(`takes ${LINES.toLocaleString('en')} lines, each asked once`, { timeout: 240_000 }, async () => {
    const model = 'gpt-4.1-mini'
    upstream.forModel(model, echoes)
    const lines = Array.from({ length: LINES }, (_, index) => chat(`line-${index}`, `${index}`, { model }))
    const batch = await user.ended(await user.start(jsonl(lines)), 200_000)
    expect(batch).toMatchObject({ status: 'completed', request_counts: { total: LINES, completed: LINES } })
    const output = await user.lines(batch.output_file_id)
    expect(output.every((line, index) => line.response.body.choices[0].message.content === `${index}`)).toBe(
      true,
    )
    const asked = upstream.callsFor(model).map(({ asked: { messages } }) => messages[0]?.content)
    expect([asked.length, new Set(asked).size]).toEqual([LINES, LINES])
  })
})

describe('a batch whose gateway is killed', () => {
  const begin = async (upstream: FakeUpstream, dataDir: string) => {
    const gateway = await GatewayProcess.start('native', {
      DATA_DIR: dataDir,
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      ENABLE_CACHING: 'false',
    })
    return { gateway, user: new BatchUser(gateway.url) }
  }

  it('loses no line and gives none twice, whether it was killed while validating or running', {
    timeout: 240_000,
  }, async () => {
    const upstream = await FakeUpstream.start()
    upstream.forModel(MODEL, async (...call) => {
      await sleep(5)
      await echoes(...call)
    })
    const dataDir = mkdtempSync(join(tmpdir(), 'parley-v1-batches-'))
    const COUNT = 600
    const KILLS = 3
    let running = await begin(upstream, dataDir)
    try {
      const lines = Array.from({ length: COUNT }, (_, index) => chat(`${index}`, `${index}`))
      const { id } = await running.user.start(jsonl(lines))
      for (let kill = 0; kill < KILLS; kill += 1) {
        if (kill > 0)
          await running.gateway.until(() => upstream.calls.length >= kill * 40 || undefined, 'calls', 90_000)
        await running.gateway.stop()
        running = await begin(upstream, dataDir)
      }
      const batch = await running.user.ended({ id }, 180_000)
      expect(batch).toMatchObject({ status: 'completed', request_counts: { total: COUNT, completed: COUNT } })
      const output = await running.user.lines(batch.output_file_id)
      expect(output.map(line => line.response.body.choices[0].message.content)).toEqual(
        lines.map((_, index) => `${index}`),
      )
      // Only what a kill interrupted was asked again: at most three items at a time.
      expect(upstream.calls.length).toBeLessThanOrEqual(COUNT + KILLS * 3)
      expect((await running.user.client.batches.list()).data.map(one => one.id)).toEqual([id])
    } finally {
      await running.gateway.stop()
      await upstream.stop()
    }
  })
})

describe.each(HOSTS)('the limits of files and batches of /v1 under the %s server', host => {
  it('count 3 uploads an hour, files and batches together, while polling counts as the rest', async () => {
    const gateway = await GatewayProcess.start(host, {
      DATA_DIR: mkdtempSync(join(tmpdir(), 'parley-limits-')),
    })
    try {
      const user = new BatchUser(gateway.url)
      const { client } = user
      const batch = await user.start(jsonl([chat('a', 'Hi', { model: 'mock/echo' })]))
      for (let polls = 0; polls < 20; polls += 1) await client.batches.retrieve(batch.id)
      await client.files.list()
      await user.upload('x', 'user_data')
      const refused = await user.upload('x', 'user_data').catch(error => error)
      expect(refused).toMatchObject({ status: 429, error: { code: 'rate_limit_exceeded' } })
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_000)
      const messages = await fetch(`${gateway.url}/v1/messages/batches`, { method: 'POST', body: '{}' })
      expect([messages.status, (await messages.json()).error.type]).toEqual([429, 'rate_limit_error'])
      expect((await client.batches.list()).data).toHaveLength(1)
    } finally {
      await gateway.stop()
    }
  })
})

describe('two gateways on one Postgres that share DATA_DIR', () => {
  it('share files and batches: one takes them, the other reads, runs and ends them', {
    timeout: 240_000,
  }, async () => {
    const upstream = await FakeUpstream.start()
    const postgres = await PostgresServer.start()
    upstream.forModel(MODEL, echoes)
    const env = {
      DATA_DIR: mkdtempSync(join(tmpdir(), 'parley-shared-')),
      DATABASE_URL: await postgres.database(),
      ADMIN_TOKEN,
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      ENABLE_CACHING: 'false',
    }
    const first = await GatewayProcess.start('native', { ...env, BATCH_WORKER: 'false' })
    const second = await GatewayProcess.start('native', env)
    try {
      const [here, there] = [first, second].map(({ url }) => new BatchUser(url, {}, ADMIN_TOKEN))
      if (!here || !there) throw new Error('There are two gateways.')
      const input = jsonl(Array.from({ length: 200 }, (_, index) => chat(`${index}`, `${index}`)))
      const started = await here.start(input)
      expect(await (await there.client.files.content(started.input_file_id)).text()).toBe(input)
      const batch = await there.ended(started)
      expect(batch).toMatchObject({ status: 'completed', request_counts: { total: 200, completed: 200 } })
      expect(await here.lines(batch.output_file_id)).toEqual(await there.lines(batch.output_file_id))
      expect(upstream.calls).toHaveLength(200)
    } finally {
      await first.stop()
      await second.stop()
      await upstream.stop()
      await postgres.remove()
    }
  })
})
