import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Json, json, post } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess } from '../support/gateway.ts'
import {
  type Behaviour,
  chunk,
  completion,
  inTurn,
  refuses,
  sse,
  stallsAfter,
  write,
} from '../support/upstream-behaviour.ts'

const ADMIN_TOKEN = 'the-token-of-the-admin'
const PRICE = { input: 2.5, cachedInput: 1.25, output: 10 }

/** The upstream's own books: what each answer that it completed costs, in nanodollars. */
class Books {
  readonly entries: number[] = []
  #calls = 0

  get nano(): bigint {
    return this.entries.reduce((sum, nano) => sum + BigInt(nano), 0n)
  }

  /** Answers with another usage each time, and books it when the answer is complete. */
  readonly answers: Behaviour = async (response, asked, signal) => {
    this.#calls += 1
    const [input, cached, output] = [100 + this.#calls, this.#calls % 97, 1 + (this.#calls % 13)]
    const usage = {
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: input + output,
      prompt_tokens_details: { cached_tokens: cached },
    }
    const body = asked.stream
      ? sse(chunk({ content: 'Hello' })) +
        sse(chunk({}, 'stop')) +
        sse({ ...chunk({}), choices: [], usage }) +
        sse('[DONE]')
      : JSON.stringify({ ...completion(asked.model, 'Hello'), usage })
    response.writeHead(200, { 'content-type': asked.stream ? 'text/event-stream' : 'application/json' })
    await write(response, body, signal)
    response.end()
    // 2.5, 1.25 and 10 dollars a million are 2,500, 1,250 and 10,000 nanodollars a token.
    this.entries.push((input - cached) * 2_500 + cached * 1_250 + output * 10_000)
  }
}

const configOf = (directory: string): string => {
  const path = join(directory, 'gateway.json')
  const models = ['booked', 'shaky', 'stalling'].map(id => ({ id, provider: 'openai', usdPerMillion: PRICE }))
  const drained = { id: 'drained', provider: 'groq', usdPerMillion: PRICE }
  writeFileSync(
    path,
    JSON.stringify({
      models: [...models, drained, { id: 'unpriced', provider: 'openai' }],
      providers: { groq: { onClientGone: 'drain' } },
      pricesAsOf: '2026-11-01',
    }),
  )
  return path
}

describe('the ledger of a gateway', () => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess
  const books = new Books()
  const directory = mkdtempSync(join(tmpdir(), 'parley-ledger-'))
  const start = () =>
    GatewayProcess.start('native', {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      GROQ_API_KEY: 'gsk-test',
      GROQ_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      ADMIN_TOKEN,
      DATA_DIR: directory,
      GATEWAY_CONFIG: configOf(directory),
    })

  beforeAll(async () => {
    upstream = await FakeUpstream.start()
    upstream.usually(books.answers)
    gateway = await start()
  })
  afterAll(async () => {
    await gateway?.stop()
    await upstream?.stop()
  })

  const usage = async (query = ''): Promise<Json> =>
    json(
      await fetch(`${gateway.url}/api/admin/usage?${query}`, {
        headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      }),
    )
  const setBudget = async (limits: object): Promise<Json> =>
    json(
      await fetch(`${gateway.url}/api/admin/budgets/all`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify(limits),
      }),
    )
  const explained = async (requestId: string): Promise<Json> => {
    const found = async () => (await fetch(`${gateway.url}/api/requests/${requestId}`)).status
    await expect.poll(found).toBe(200)
    return json(await fetch(`${gateway.url}/api/requests/${requestId}`))
  }
  const spentOn = async (model: string): Promise<bigint> => {
    const { rows } = await usage('by=model')
    return BigInt(rows.find((row: Json) => row.model === model)?.costNanoUsd ?? 0)
  }
  const ask = (body: object, headers = {}, signal?: AbortSignal) =>
    post(gateway.url, { prompt: 'Hi', cache: 'no-store', ...body }, { headers, ...(signal && { signal }) })
  const openAi = (path: string, body: object) =>
    fetch(`${gateway.url}/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })

  it('charges 200 answers of every shape once each, to the nanodollar of the upstream’s books', async () => {
    upstream.forModel('shaky', inTurn(refuses(500), books.answers, refuses(503), books.answers))
    const calls = Array.from({ length: 200 }, (_, n) => async () => {
      const model = n % 10 === 0 ? 'shaky' : 'booked'
      const stream = n % 2 === 0
      const answer = await (n % 3 === 0
        ? openAi('chat/completions', { model, messages: [{ role: 'user', content: `Hi ${n}` }], stream })
        : ask({ model, stream, prompt: `Hi ${n}` }))
      expect(answer.status).toBe(200)
      await answer.text()
    })
    for (let at = 0; at < calls.length; at += 20)
      await Promise.all(calls.slice(at, at + 20).map(call => call()))
    await expect.poll(async () => (await usage()).total.requests).toBe(200)
    const report = await usage('by=model,day')
    expect(BigInt(report.total.costNanoUsd)).toBe(books.nano)
    expect(report.rows.reduce((sum: bigint, row: Json) => sum + BigInt(row.costNanoUsd), 0n)).toBe(books.nano)
    expect(report.total).toMatchObject({ errors: 0, unpricedAttempts: 0, reservedUsd: 0 })
    expect(report.total.attempts).toBeGreaterThan(200)
  })

  it('has a failed attempt at no cost beside the one that answered', async () => {
    upstream.forModel('shaky', inTurn(refuses(500), books.answers))
    const answer = await ask({ model: 'shaky' }, { 'x-request-id': 'retried' })
    await answer.text()
    const { attempts, request } = await explained('retried')
    expect(attempts).toMatchObject([
      { outcome: 'error', code: 'PROVIDER_ERROR', costNanoUsd: '0' },
      { outcome: 'ok', priceVersion: 'config 2026-11-01', costNanoUsd: String(books.entries.at(-1)) },
    ])
    expect(request.costNanoUsd).toBe(String(books.entries.at(-1)))
  })

  it('charges an answer that its client cuts once, for the delivered text, as an estimate', async () => {
    upstream.forModel('stalling', stallsAfter('a'.repeat(40)))
    const client = new AbortController()
    const answer = await ask({ model: 'stalling', stream: true }, { 'x-request-id': 'cut' }, client.signal)
    const reader = answer.body?.getReader()
    for (let text = ''; !text.includes('aaa'); )
      text += Buffer.from((await reader?.read())?.value ?? []).toString()
    client.abort()
    const { request, attempts } = await explained('cut')
    expect(request).toMatchObject({ outcome: 'aborted', code: 'CLIENT_GONE' })
    // Two bytes of a question are one token, forty bytes of text ten.
    expect(attempts).toMatchObject([
      {
        outcome: 'aborted',
        usage: { inputTokens: 1, outputTokens: 10, estimated: true },
        costNanoUsd: '102500',
      },
    ])
    expect(await spentOn('stalling')).toBe(102_500n)
  })

  it('charges nothing where the client leaves before any text', async () => {
    upstream.forModel('stalling', () => {})
    const client = new AbortController()
    const answer = ask({ model: 'stalling' }, { 'x-request-id': 'left' }, client.signal)
    await expect.poll(() => upstream.callsFor('stalling').length).toBeGreaterThan(1)
    client.abort()
    await expect(answer).rejects.toThrow()
    expect((await explained('left')).attempts).toMatchObject([
      { outcome: 'aborted', costNanoUsd: '0', usage: { outputTokens: 0, estimated: false } },
    ])
  })

  it('reads an answer to its end when its client has gone, where its provider drains, and charges its count, to its budget too', async () => {
    const held = Promise.withResolvers<void>()
    const counted = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 }
    upstream.forModel('drained', async (response, _asked, signal) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      await write(response, sse(chunk({ content: 'Hello' })), signal)
      await held.promise
      response.end(
        sse(chunk({}, 'stop')) + sse({ ...chunk({}), choices: [], usage: counted }) + sse('[DONE]'),
      )
    })
    const budgeted = await setBudget({ month: 100 })
    expect(budgeted.month.spentNanoUsd).toBe((await usage()).total.costNanoUsd)
    const client = new AbortController()
    const answer = await ask({ model: 'drained', stream: true }, { 'x-request-id': 'drained' }, client.signal)
    await answer.body?.getReader().read()
    client.abort()
    // What is answered later has been read later: by then the gateway knows that its client has gone.
    for (let n = 0; n < 3; n += 1) await fetch(`${gateway.url}/api/health/live`)
    held.resolve()
    const { request, attempts } = await explained('drained')
    expect(request.outcome).toBe('aborted')
    expect(attempts).toMatchObject([
      { outcome: 'ok', usage: { inputTokens: 11, outputTokens: 7, estimated: false }, costNanoUsd: '97500' },
    ])
    expect(upstream.callsFor('drained')[0]?.abandonedAt).toBeUndefined()
    const month = async () => (await setBudget({ month: 100 })).month
    await expect.poll(async () => (await month()).reservedNanoUsd).toBe('0')
    const { spentNanoUsd } = await month()
    expect(spentNanoUsd).toBe((await usage()).total.costNanoUsd)
    expect(BigInt(spentNanoUsd) - BigInt(budgeted.month.spentNanoUsd)).toBe(97_500n)
    await setBudget({})
  })

  it('charges a repeated answer nothing, and tells what the cache saved', async () => {
    const question = { model: 'booked', prompt: 'Cached?', cache: 'default' }
    const before = await usage()
    for (let n = 0; n < 3; n += 1) await (await ask(question)).text()
    await expect.poll(async () => (await usage()).total.requests).toBe(before.total.requests + 3)
    const after = await usage()
    const cost = BigInt(books.entries.at(-1) ?? 0)
    expect(BigInt(after.total.costNanoUsd) - BigInt(before.total.costNanoUsd)).toBe(cost)
    expect(after.total.cacheHits - before.total.cacheHits).toBe(2)
    expect(after.total.savedUsd - before.total.savedUsd).toBeCloseTo((2 * Number(cost)) / 1e9, 12)
  })

  it('has items of batches and embeddings too, each once', async () => {
    const before = BigInt((await usage()).total.costNanoUsd)
    const booked = books.nano
    const items = [1, 2, 3].map(n => ({ prompt: `Item ${n}`, model: 'booked', cache: 'no-store' }))
    const job = await fetch(`${gateway.url}/api/batch/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ items }),
    })
    const { id } = await json(job)
    await expect
      .poll(async () => (await json(await fetch(`${gateway.url}/api/batch/jobs/${id}`))).state, {
        timeout: 20_000,
      })
      .toBe('completed')
    await expect
      .poll(async () => BigInt((await usage()).total.costNanoUsd) - before)
      .toBe(books.nano - booked)
    const { requests } = await json(await fetch(`${gateway.url}/api/requests?limit=10`))
    expect(requests.filter(({ kind }: Json) => kind === 'batch-item')).toHaveLength(3)
    upstream.forModel('text-embedding-3-small', response => {
      const body = { object: 'list', data: [], model: 'm', usage: { prompt_tokens: 50, total_tokens: 50 } }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
    await (await openAi('embeddings', { model: 'text-embedding-3-small', input: 'Hi' })).text()
    await expect.poll(() => spentOn('text-embedding-3-small')).toBe(1_000n)
  })

  it('has null for a model without a price, and warns once', async () => {
    for (const id of ['unpriced-1', 'unpriced-2'])
      await (await ask({ model: 'unpriced' }, { 'x-request-id': id })).text()
    const { request, attempts } = await explained('unpriced-1')
    expect([request.costUsd, attempts[0].costUsd]).toEqual([null, null])
    const sums = async () => {
      const { rows } = await usage('by=model')
      return rows.find((row: Json) => row.model === 'unpriced')
    }
    expect(await sums()).toMatchObject({ costUsd: null, unpricedAttempts: 2 })
    const warnings = () => gateway.log.filter(line => String(line.message).includes('has no price'))
    await expect.poll(() => warnings().length).toBe(1)

    // A failed attempt costs nothing, and makes the sum no more known.
    upstream.forModel('unpriced', refuses(400))
    await (await ask({ model: 'unpriced' })).text()
    await expect.poll(async () => (await sums()).attempts).toBe(3)
    expect(await sums()).toMatchObject({ costUsd: null, unpricedAttempts: 2 })
    upstream.forModel('unpriced', books.answers)
  })

  it('has one row for a model, whether requests name it with its provider or not', async () => {
    for (const model of ['unpriced', 'openai/unpriced']) await (await ask({ model })).text()
    const { rows } = await usage('by=model')
    const names = rows.map(({ model }: Json) => model).filter((model: string) => model.includes('unpriced'))
    expect(names).toEqual(['unpriced'])
  })

  it('shows usage to its caller alone', async () => {
    const own = await json(await fetch(`${gateway.url}/api/usage?by=owner`))
    expect(own.rows.map(({ owner }: Json) => owner)).toEqual(['address:127.0.0.1'])
    expect((await fetch(`${gateway.url}/api/admin/usage`)).status).toBe(401)
  })

  /** Requests of a model in the database's file. */
  const rowsOnDisk = (model: string): number => {
    const file = new DatabaseSync(join(directory, 'parley.db'), { readOnly: true })
    try {
      const row = file
        .prepare('select count(*) as count from ledger_requests where model_asked = ?')
        .get(model)
      return Number(row?.count)
    } finally {
      file.close()
    }
  }

  it('is on disk without being asked for: a SIGKILL then loses no row', async () => {
    const [before, booked] = [BigInt((await usage()).total.costNanoUsd), books.nano]
    const rows = rowsOnDisk('booked')
    for (let n = 0; n < 20; n += 1) await (await ask({ model: 'booked', prompt: `Kill ${n}` })).text()
    // Read in the file: a question to the gateway would have the rows written at once.
    await expect.poll(() => rowsOnDisk('booked')).toBe(rows + 20)
    await gateway.stop()
    gateway = await start()
    expect(BigInt((await usage()).total.costNanoUsd) - before).toBe(books.nano - booked)
    const { requests } = await json(await fetch(`${gateway.url}/api/requests?limit=20`))
    expect(requests.every(({ requestedModel }: Json) => requestedModel === 'booked')).toBe(true)
  })

  // The last one: once a key exists, callers without one are no longer let in.
  it('is a table for spreadsheets too, in which no name is a formula', async () => {
    const made = await fetch(`${gateway.url}/api/admin/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: '=cmd|calc' }),
    })
    const headers = { authorization: `Bearer ${(await json(made)).key}` }
    await (await ask({ model: 'booked' }, headers)).text()
    const byKey = () => fetch(`${gateway.url}/api/usage?by=key&format=csv`, { headers })
    await expect.poll(() => byKey().then(table => table.text())).toContain("'=cmd|calc")
    const table = await byKey()
    expect(table.headers.get('content-type')).toContain('text/csv')
    expect(await table.text()).not.toMatch(/(^|,)"?[=+@]/m)
  })
})
