import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchClient } from '../support/batch.ts'
import { type Json, json, post } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { neverEnds, refuses, says } from '../support/upstream-behaviour.ts'

/** Real time: that no more items are tried has no signal. */
const OTHERS_ARE_TRIED_MS = 1_500

const guestOf = async (url: string): Promise<BatchClient> => {
  const answer = await fetch(`${url}/api/session`, { method: 'POST' })
  return new BatchClient(url, { cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' })
}

const lines = (text: string): Json[] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))

describe.each(HOSTS)('batches under the %s host', host => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess
  let ada: BatchClient
  let eve: BatchClient

  beforeAll(async () => {
    upstream = await FakeUpstream.start()
    gateway = await GatewayProcess.start(host, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      BREAKER_FAILURES: '1000',
    })
    ada = await guestOf(gateway.url)
    eve = await guestOf(gateway.url)
  })
  afterAll(async () => {
    await gateway?.stop()
    await upstream?.stop()
  })

  const modelThat = (...args: Parameters<FakeUpstream['modelThat']>) =>
    `openai/${upstream.modelThat(...args)}`

  it('answer their items, with what each one and all of them cost', async () => {
    upstream.forModel('gpt-4o-mini', says(['Done.']))
    const taken = await ada.submit(
      [{ prompt: 'One' }, { id: 'two', messages: [{ role: 'user', content: 'Two' }], model: 'gpt-4o-mini' }],
      { name: 'Both', priority: 'high' },
    )
    expect(taken).toMatchObject({ name: 'Both', priority: 'high', state: 'queued', counts: { total: 2 } })
    expect(taken.id).toMatch(/^batch_[\da-f]{32}$/)
    const job = await ada.ended(taken.id)
    expect(job).toMatchObject({
      state: 'completed',
      progress: 1,
      counts: { total: 2, succeeded: 2, failed: 0 },
      costUsd: 0.0000081,
      nextCursor: null,
    })
    expect(job.items.map(({ id, state }: Json) => [id, state])).toEqual([
      ['1', 'succeeded'],
      ['two', 'succeeded'],
    ])
    expect(job.items[1]).toMatchObject({
      content: 'Done.',
      model: 'gpt-4o-mini',
      costUsd: 0.00000405,
      attempts: 1,
    })
    const again = await ada.submit([{ prompt: 'Two', model: 'gpt-4o-mini' }])
    expect((await ada.ended(again.id)).items[0]).toMatchObject({ cache: 'hit', costUsd: 0 })
  })

  it('give the answers to uploaded files back as JSON lines and as a table', async () => {
    const model = modelThat(says(['=1+1, "quoted"\nline']))
    const answer = await ada.upload(
      {
        'notes.md': '# Title',
        'rows.csv': 'id,prompt\na,First\nb,"Second\nline"\n',
        'more.jsonl': `{"custom_id":"c","method":"POST","url":"/v1/chat/completions","body":{"model":"${model}","messages":[{"role":"user","content":"Third"}]}}\n`,
        'list.json': '[{"prompt":"Fourth"},"Fifth"]',
      },
      { model, name: 'Files' },
    )
    expect(answer.status).toBe(202)
    const { id } = await json(answer)
    const job = await ada.ended(id)
    expect(job.items.map(({ id: name, state }: Json) => [name, state])).toEqual([
      ['notes.md', 'succeeded'],
      ['a', 'succeeded'],
      ['b', 'succeeded'],
      ['c', 'succeeded'],
      ['list.json[0]', 'succeeded'],
      ['list.json[1]', 'succeeded'],
    ])
    const asked = upstream
      .callsFor(model.replace('openai/', ''))
      .map(({ body }) => JSON.parse(body).messages[0].content)
    expect(asked.toSorted()).toEqual(['# Title', 'Fifth', 'First', 'Fourth', 'Second\nline', 'Third'])

    const text = await ada.ask(`/jobs/${id}/results`)
    expect(text.headers.get('content-disposition')).toBe(`attachment; filename="${id}.jsonl"`)
    expect(lines(await text.text())).toMatchObject(
      job.items.map(({ id: name, content }: Json) => ({ id: name, content, state: 'succeeded' })),
    )
    const table = await ada.ask(`/jobs/${id}/results?format=csv`)
    expect(table.headers.get('content-type')).toContain('text/csv')
    expect(await table.text()).toContain(`"'=1+1, ""quoted""\nline"`)
  })

  it('are taken whole or not at all: every fault is reported with its file and line', async () => {
    const before = await json(await ada.ask('/jobs'))
    const answer = await ada.upload({
      'good.jsonl': '{"prompt":"fine"}\n',
      'bad.jsonl': '{"prompt":"fine"}\n{"prompt": }\n{"prompt":"x","colour":1}\n',
    })
    expect(answer.status).toBe(400)
    const { error } = await json(answer)
    expect(error.details.map(({ path }: Json) => path)).toEqual(['bad.jsonl:2', 'bad.jsonl:3'])
    const models = await ada.post('/jobs', { items: [{ prompt: 'a' }, { prompt: 'b', model: 'nobody' }] })
    expect((await json(models)).error.details[0].path).toBe('items[1].model')
    expect(await json(await ada.ask('/jobs'))).toEqual(before)
  })

  it.each<[string, Record<string, string | Uint8Array>, number, RegExp]>([
    [
      '51 files',
      Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`${at}.txt`, 'x'])),
      400,
      /50 times/,
    ],
    ['a ZIP by another name', { 'a.txt': Buffer.from('PK\x03\x04\x14\0\0\0\x08\0', 'latin1') }, 415, /zip/],
    ['51 MB', { 'a.txt': Buffer.alloc(51_000_000, 'a') }, 413, /larger than 50 MB/],
    ['another kind of file', { 'a.exe': 'x' }, 415, /must end in/],
    ['no file', {}, 400, /file/],
  ])('refuse %s clearly', async (_, files, status, message) => {
    const answer = await ada.upload(files, { name: 'Refused' })
    expect([answer.status, (await json(answer)).error.message]).toEqual([
      status,
      expect.stringMatching(message),
    ])
  })

  it('are out of reach for other callers', async () => {
    const { id } = await ada.submit([{ prompt: 'Mine' }])
    await ada.ended(id)
    for (const [method, path] of [
      ['GET', `/jobs/${id}`],
      ['GET', `/jobs/${id}/results`],
      ['GET', `/jobs/${id}/events`],
      ['GET', `/jobs/${id}/items/0`],
      ['POST', `/jobs/${id}/cancel`],
      ['POST', `/jobs/${id}/retry`],
      ['DELETE', `/jobs/${id}`],
      ['GET', '/jobs/batch_..%2f..%2fetc'],
    ] as const) {
      const answer = await eve.ask(path, { method })
      expect([path, answer.status]).toEqual([path, 404])
    }
    expect((await json(await eve.ask('/jobs'))).jobs).toEqual([])
  })

  it('try failed items three times, say why they failed, and run those again when asked to', async () => {
    const model = modelThat(refuses(500))
    const { id } = await ada.submit([
      { prompt: 'good', model: 'mock/echo' },
      { prompt: 'bad', model },
    ])
    const job = await ada.ended(id)
    expect(job).toMatchObject({ state: 'completed', counts: { succeeded: 1, failed: 1 } })
    expect(job.items[1]).toMatchObject({ state: 'failed', attempts: 3, error: { code: 'PROVIDER_ERROR' } })
    expect((await ada.job(id, '?state=failed')).items).toHaveLength(1)
    const refused = modelThat(refuses(400))
    const lost = await ada.submit([{ prompt: 'no', model: refused }])
    expect(await ada.ended(lost.id)).toMatchObject({ state: 'failed', items: [{ attempts: 1 }] })

    upstream.forModel(model.replace('openai/', ''), says(['At last']))
    expect(await json(await ada.post(`/jobs/${id}/retry`))).toMatchObject({
      state: 'running',
      counts: { failed: 0, succeeded: 1 },
    })
    expect(await ada.ended(id)).toMatchObject({
      counts: { succeeded: 2, failed: 0 },
      items: [{ attempts: 1 }, { content: 'At last' }],
    })
    expect((await ada.post(`/jobs/${id}/retry`)).status).toBe(409)
  })

  it('say why failed items are not retried: while others run, and of a job that was cancelled', async () => {
    const { id } = await ada.submit([
      { prompt: 'bad', model: modelThat(refuses(400)) },
      { prompt: 'never', model: 'mock/hang' },
    ])
    await ada.until(id, ({ counts }) => counts.failed === 1)
    const refusal = async () => (await (await ada.post(`/jobs/${id}/retry`)).json()).error
    expect(await refusal()).toMatchObject({
      code: 'CONFLICT',
      message: 'The batch has not ended yet: its failed items can be retried then.',
      retryable: true,
    })
    await ada.post(`/jobs/${id}/cancel`)
    await ada.ended(id)
    expect(await refusal()).toMatchObject({ message: expect.stringContaining('cancelled'), retryable: false })
  })

  it('begin no more than a few of their items at a busy provider, and leave the slots to others', async () => {
    const model = modelThat(refuses(429, { headers: { 'retry-after': '2' } }))
    const { id } = await ada.submit(Array.from({ length: 100 }, (_, at) => ({ prompt: `${at}`, model })))
    const attempted = async () =>
      (await ada.job(id, '?limit=200')).items.filter(({ attempts }: Json) => attempts > 0).length
    await ada.until(id, ({ items }) => items.some(({ error }: Json) => error?.code === 'PROVIDER_RATE_LIMIT'))
    await ada.ended((await ada.submit([{ prompt: 'Mine', model: 'mock/echo' }])).id)
    await sleep(OTHERS_ARE_TRIED_MS)
    expect(await attempted()).toBeLessThanOrEqual(6)
    expect(upstream.callsFor(model.replace('openai/', '')).length).toBeLessThanOrEqual(6)
    upstream.forModel(model.replace('openai/', ''), says(['Free again']))
    expect(await ada.ended(id)).toMatchObject({ state: 'completed', counts: { succeeded: 100 } })
  })

  it('give no time left and say which model they wait for while it is not called', async () => {
    const busy = refuses(429, { headers: { 'retry-after': '60' } })
    const model = modelThat((response, asked, signal) => {
      const isFirst = asked.messages.at(-1)?.content === 'One'
      return (isFirst ? says(['Yes']) : busy)(response, asked, signal)
    })
    const { id } = await ada.submit(['One', 'Two'].map(prompt => ({ prompt, model, cache: 'no-store' })))
    const waiting = await ada.until(
      id,
      ({ waiting, counts }) => waiting?.reason === 'model' && counts.succeeded === 1,
    )
    expect(waiting).toMatchObject({ state: 'running', etaSeconds: null, counts: { succeeded: 1, queued: 1 } })
    expect(waiting.waiting).toMatchObject({ code: 'PROVIDER_RATE_LIMIT', model })
    expect(waiting.waiting.message).toContain('OpenAI')
    expect(Date.parse(waiting.waiting.until)).toBeGreaterThan(Date.now())
    await ada.post(`/jobs/${id}/cancel`)
  })

  it('show each item by its index, whole, with the messages that were sent', async () => {
    const model = modelThat(says(['# Title\n\nA second paragraph']))
    const { id } = await ada.submit([{ prompt: 'Whole\n\nquestion', model }])
    await ada.ended(id)
    const item = await json(await ada.ask(`/jobs/${id}/items/0`))
    expect(item).toMatchObject({
      id: '1',
      index: 0,
      state: 'succeeded',
      content: '# Title\n\nA second paragraph',
      messages: [{ role: 'user', content: 'Whole\n\nquestion' }],
    })
    for (const index of ['1', '-1', 'one', '99999999999'])
      expect((await ada.ask(`/jobs/${id}/items/${index}`)).status, index).toBe(404)
  })

  it('leave the upstream at once when they are cancelled, and can be removed then', async () => {
    const model = modelThat(neverEnds({ paceMs: 50 }))
    const { id } = await ada.submit(Array.from({ length: 9 }, (_, at) => ({ prompt: `${at}`, model })))
    await ada.until(id, ({ counts }) => counts.running === 3)
    await gateway.until(() => upstream.callsFor(model.replace('openai/', '')).length === 3, 'three calls')
    expect((await ada.ask(`/jobs/${id}`, { method: 'DELETE' })).status).toBe(409)
    const cancelled = await json(await ada.post(`/jobs/${id}/cancel`))
    expect(cancelled).toMatchObject({ state: 'cancelled', counts: { cancelled: 9, running: 0 } })
    await gateway.until(
      () =>
        upstream.callsFor(model.replace('openai/', '')).every(({ abandonedAt }) => abandonedAt !== undefined),
      'the end of the calls',
    )
    expect((await ada.post(`/jobs/${id}/cancel`)).status).toBe(409)
    expect(await json(await ada.ask(`/jobs/${id}`, { method: 'DELETE' }))).toEqual({ id, deleted: true })
    expect((await ada.ask(`/jobs/${id}`)).status).toBe(404)
  })

  it('tell how they go on, as it happens', async () => {
    const { id } = await ada.submit([
      { prompt: 'a', model: 'mock/slow' },
      { prompt: 'b', model: 'mock/echo' },
    ])
    const answer = await ada.ask(`/jobs/${id}/events`)
    expect(answer.headers.get('content-type')).toContain('text/event-stream')
    const jobs = lines((await answer.text()).replace(/^(event: job|: .*)?\n/gm, '').replace(/^data: /gm, ''))
    expect(jobs.at(-1)).toMatchObject({ id, state: 'completed', progress: 1 })
    const done = jobs.map(({ counts }) => counts.succeeded)
    expect(done).toEqual(done.toSorted((a, b) => a - b))
    expect(jobs.length).toBeGreaterThan(1)
  })

  it('tell twenty of one caller at most how they go on', async () => {
    const watcher = await guestOf(gateway.url)
    const controllers = Array.from({ length: 21 }, () => new AbortController())
    // Kept, as a connection is closed when its answer is collected unread.
    const answers: Response[] = []
    const watch = async ({ signal }: AbortController) => {
      const answer = await watcher.ask('/events', { signal })
      answers.push(answer)
      return answer.status
    }
    for (const controller of controllers) await watch(controller)
    expect(answers.map(({ status }) => status)).toEqual([...Array(20).fill(200), 429])
    expect((await ada.ask('/events', { signal: AbortSignal.timeout(5_000) })).status).toBe(200)
    for (const controller of controllers) controller.abort()
    await expect.poll(() => watch(new AbortController()), { timeout: 5_000 }).toBe(200)
  })

  it('are listed newest first, page by page', async () => {
    const all = (await json(await ada.ask('/jobs?limit=200'))).jobs.map(({ id }: Json) => id)
    const paged: string[] = []
    for (let query = '?limit=2'; query !== ''; ) {
      const { jobs, nextCursor } = await json(await ada.ask(`/jobs${query}`))
      paged.push(...jobs.map(({ id }: Json) => id))
      query = nextCursor ? `?limit=2&cursor=${nextCursor}` : ''
    }
    expect(paged).toEqual(all)
    for (const query of ['?limit=0', '?limit=x', '?cursor=nonsense', '?colour=red'])
      expect((await ada.ask(`/jobs${query}`)).status).toBe(400)
  })

  it('do not hold up a chat', async () => {
    const model = modelThat(neverEnds({ paceMs: 50 }))
    const { id } = await ada.submit(Array.from({ length: 6 }, (_, at) => ({ prompt: `${at}`, model })))
    await ada.until(id, ({ counts }) => counts.running === 3)
    expect((await post(gateway.url, { prompt: 'Hi', model: 'mock/echo' })).status).toBe(200)
    await ada.post(`/jobs/${id}/cancel`)
  })

  it('are seen in health and metrics', async () => {
    const { services } = await json(await fetch(`${gateway.url}/api/health`))
    expect(services).toMatchObject({
      records: { status: 'healthy', message: 'in SQLite' },
      queue: {
        status: 'healthy',
        message: expect.stringMatching(/waiting.*; \d+ running, \d+ failed; workers: 1$/),
      },
    })
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
    expect(metrics).toMatch(/parley_batch_item_runs_total\{outcome="succeeded"\} [1-9]/)
    expect(metrics).toContain('parley_batch_items_waiting{priority="normal"}')
    expect(metrics).toContain('parley_batch_workers 1\n')
  })
})

describe('batches', () => {
  it('may be uploaded three times an hour, whatever else is asked', async () => {
    const gateway = await GatewayProcess.start('native')
    try {
      const client = new BatchClient(gateway.url)
      const statuses: number[] = []
      for (let time = 0; time < 4; time += 1)
        statuses.push((await client.upload({ 'a.txt': 'Hello' }, { model: 'mock/echo' })).status)
      expect(statuses).toEqual([202, 202, 202, 429])
      expect((await client.ask('/jobs')).status).toBe(200)
    } finally {
      await gateway.stop()
    }
  })

  it('can be switched off', async () => {
    const gateway = await GatewayProcess.start('native', {
      ENABLE_BATCH: 'false',
    })
    try {
      expect((await new BatchClient(gateway.url).ask('/jobs')).status).toBe(404)
      const { services } = await json(await fetch(`${gateway.url}/api/health`))
      expect(services.queue).toBeUndefined()
      expect(services.records.status).toBe('healthy')
    } finally {
      await gateway.stop()
    }
  })
})
