import { randomUUID } from 'node:crypto'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { PostgresServer } from '../support/postgres.ts'
import {
  type Behaviour,
  chunk,
  completion,
  refuses,
  says,
  sends,
  sse,
} from '../support/upstream-behaviour.ts'
import {
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

type Options = Readonly<{
  key?: string | undefined
  cookie?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}>

const send = (
  url: string,
  body: unknown,
  { key, cookie, headers = {}, signal }: Options,
): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: {
      ...(!(body instanceof FormData) && { 'content-type': 'application/json' }),
      ...(key !== undefined && { 'idempotency-key': key }),
      ...(cookie !== undefined && { cookie }),
      ...headers,
    },
    body: body instanceof FormData || typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal && { signal }),
  })

const guestOf = async ({ url }: GatewayProcess): Promise<string> => {
  const answer = await fetch(`${url}/api/session`, { method: 'POST' })
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
}

const isRepeated = ({ headers }: Response): boolean => headers.get('idempotent-replayed') === 'true'

/** Reads until the event that is marked so, and then leaves. */
const readUntil = async ({ body }: Response, mark: string): Promise<string> => {
  let text = ''
  const decoder = new TextDecoder()
  for await (const bytes of body ?? []) {
    text += decoder.decode(bytes, { stream: true })
    if (text.includes(mark)) break
  }
  return text
}

/** Waits until it is allowed to answer. */
const held = () => {
  const gate = Promise.withResolvers<void>()
  const behaviour: Behaviour = async (response, asked) => {
    await gate.promise
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify(completion(asked.model, 'Late')))
  }
  return { behaviour, open: gate.resolve }
}

describe.each(HOSTS)('Idempotency-Key under the %s server', host => {
  let setting: UpstreamGateway
  let chat: string
  let ada: string
  let bob: string

  beforeAll(async () => {
    setting = await startUpstreamGateway(host, () => ({
      ENABLE_CACHING: 'false',
      MAX_RETRIES: '0',
      BREAKER_FAILURES: '1000',
    }))
    chat = `${setting.gateway.url}/api/chat`
    ada = await guestOf(setting.gateway)
    bob = await guestOf(setting.gateway)
  })
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  const newModel = (behaviour: Behaviour = says(['Hello', '!'])) => setting.upstream.modelThat(behaviour)
  const callsOf = (model: string): number => setting.upstream.callsFor(model).length
  const ask = (model: string, more: object = {}) => ({
    model: `openai/${model}`,
    prompt: 'Hi',
    fallback: false,
    ...more,
  })

  it('repeats a whole answer with its status and body, and calls the upstream once', async () => {
    const model = newModel()
    const options = { key: randomUUID(), cookie: ada }
    const first = await send(chat, ask(model), options)
    const text = await first.text()
    expect([first.status, isRepeated(first)]).toEqual([200, false])
    for (let repetition = 0; repetition < 3; repetition += 1) {
      const again = await send(chat, ask(model), options)
      expect([again.status, isRepeated(again), await again.text()]).toEqual([200, true, text])
      expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'))
      for (const name of ['x-gateway-model', 'x-gateway-provider', 'x-gateway-cache']) {
        expect(first.headers.get(name)).not.toBeNull()
        expect(again.headers.get(name)).toBe(first.headers.get(name))
      }
      expect(again.headers.get('x-gateway-cost-usd')).toBeNull()
      expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
    }
    expect(callsOf(model)).toBe(1)
  })

  it.each([
    ['/api/chat', 'done'],
    ['/v1/chat/completions', '[DONE]'],
    ['/v1/messages', 'message_stop'],
    ['/v1/responses', 'response.completed'],
    ['/v1/completions', '[DONE]'],
  ])('repeats a stream of %s as the same stream, stored before its last event', async (path, last) => {
    const model = newModel(says(['One', ' two', ' three'], { paceMs: 5 }))
    const body = {
      '/api/chat': ask(model, { stream: true }),
      '/v1/chat/completions': {
        model: `openai/${model}`,
        stream: true,
        messages: [{ role: 'user', content: 'Hi' }],
      },
      '/v1/messages': {
        model: `openai/${model}`,
        stream: true,
        max_tokens: 9,
        messages: [{ role: 'user', content: 'Hi' }],
      },
      '/v1/responses': { model: 'mock/echo', stream: true, input: 'One two three' },
      '/v1/completions': { model: 'mock', stream: true, prompt: 'One two three' },
    }[path]
    const options = { key: randomUUID(), cookie: ada }
    const first = await send(setting.gateway.url + path, body, options)
    let text = ''
    let again: Promise<Response> | undefined
    const decoder = new TextDecoder()
    for await (const bytes of first.body ?? []) {
      text += decoder.decode(bytes, { stream: true })
      // The end of the stream has not been read yet: its result must be stored all the same.
      if (text.includes(last)) again ??= send(setting.gateway.url + path, body, options)
    }
    const repeated = await (again as Promise<Response>)
    expect([repeated.status, isRepeated(repeated)]).toEqual([200, true])
    expect(repeated.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(repeated.headers.get('content-type')).toBe(first.headers.get('content-type'))
    expect(await repeated.text()).toBe(text)
    expect(callsOf(model)).toBe(body?.model.startsWith('mock') ? 0 : 1)
  })

  it('refuses another body with 422 IDEMPOTENCY_MISMATCH, and knows the same JSON in another spelling', async () => {
    const model = newModel()
    const options = { key: randomUUID(), cookie: ada }
    await send(chat, ask(model, { temperature: 1.0 }), options)
    const other = await send(chat, ask(model, { temperature: 0.5 }), options)
    expect([other.status, (await other.json()).error.code]).toEqual([422, 'IDEMPOTENCY_MISMATCH'])
    const spelled = `{ "temperature": 1, "fallback":false,\n "prompt":"\\u0048i", "model": "openai/${model}" }`
    expect(isRepeated(await send(chat, spelled, options))).toBe(true)
    expect(callsOf(model)).toBe(1)
  })

  it('answers 409 with Retry-After while the first request runs, and then repeats it', async () => {
    const { behaviour, open } = held()
    const model = newModel(behaviour)
    const options = { key: randomUUID(), cookie: ada }
    const first = send(chat, ask(model), options)
    await setting.gateway.until(() => callsOf(model) === 1, 'the first call')
    const busy = await send(chat, ask(model), options)
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([409, '1'])
    expect((await busy.json()).error.code).toBe('CONFLICT')
    open()
    const text = await (await first).text()
    expect(await (await send(chat, ask(model), options)).text()).toBe(text)
    expect(callsOf(model)).toBe(1)
  })

  it('runs a request once when 20 come at the same moment', async () => {
    const { behaviour, open } = held()
    const model = newModel(behaviour)
    const options = { key: randomUUID(), cookie: ada }
    const sent = Array.from({ length: 20 }, () => send(chat, ask(model), options))
    await Promise.any(sent)
    open()
    const answers = await Promise.all(sent)
    expect(answers.filter(answer => answer.status === 200 && !isRepeated(answer))).toHaveLength(1)
    expect(answers.filter(answer => answer.status !== 409 && !isRepeated(answer))).toHaveLength(1)
    expect(callsOf(model)).toBe(1)
  })

  it('never gives an answer to another caller, nor for another path', async () => {
    const model = newModel()
    const key = randomUUID()
    await send(chat, ask(model), { key, cookie: ada })
    expect(isRepeated(await send(chat, ask(model), { key, cookie: bob }))).toBe(false)
    const v1 = await send(
      `${setting.gateway.url}/v1/chat/completions`,
      { model: `openai/${model}`, messages: [{ role: 'user', content: 'Hi' }] },
      { key, cookie: ada },
    )
    expect([v1.status, isRepeated(v1)]).toEqual([200, false])
    expect(callsOf(model)).toBe(3)
  })

  it.each([
    ['an upstream’s failure', 500],
    ['an upstream’s 429', 429],
  ])('runs again after %s', async (_, status) => {
    let count = 0
    const model = newModel((response, asked, signal) => {
      count += 1
      if (count > 1) return says(['Now'])(response, asked, signal)
      response.writeHead(status).end('{}')
      return undefined
    })
    const options = { key: randomUUID(), cookie: ada }
    expect((await send(chat, ask(model), options)).status).toBeGreaterThanOrEqual(500)
    const again = await send(chat, ask(model), options)
    expect([again.status, isRepeated(again)]).toEqual([200, false])
    expect(callsOf(model)).toBe(2)
  })

  it('runs again after a stream that ended with an error, and after one that its client left', async () => {
    const broken = newModel(sends([sse(chunk({ content: 'Half' }))]))
    const options = { key: randomUUID(), cookie: ada }
    const first = await (await send(chat, ask(broken, { stream: true }), options)).text()
    expect(first).toContain('event: error')
    expect(isRepeated(await send(chat, ask(broken, { stream: true }), options))).toBe(false)
    expect(callsOf(broken)).toBe(2)

    const slow = newModel(
      says(
        Array.from({ length: 200 }, () => 'x'),
        { paceMs: 20 },
      ),
    )
    const leaving = new AbortController()
    const left = { key: randomUUID(), cookie: ada, signal: leaving.signal }
    const answer = await send(chat, ask(slow, { stream: true }), left)
    await answer.body?.getReader().read()
    leaving.abort()
    await setting.gateway.lineOf(answer.headers.get('x-request-id') ?? '')
    const retry = new AbortController()
    const again = await send(chat, ask(slow, { stream: true }), { ...left, signal: retry.signal })
    retry.abort()
    expect([again.status, isRepeated(again)]).toEqual([200, false])
    expect(callsOf(slow)).toBe(2)
  })

  it('repeats a resumable stream with the ids of its events, also to a client that leaves with its last event', async () => {
    const model = newModel(says(['One', ' two']))
    const options = { key: randomUUID(), cookie: ada, headers: { 'x-gateway-resume': 'true' } }
    const first = await send(chat, ask(model, { stream: true }), options)
    const text = await readUntil(first, 'event: done')
    expect(text).toContain('id: 1\n')
    const again = await send(chat, ask(model, { stream: true }), options)
    expect([again.status, isRepeated(again), await again.text()]).toEqual([200, true, text])
    expect(again.headers.get('x-gateway-stream-id')).toBe(first.headers.get('x-gateway-stream-id'))
    expect(callsOf(model)).toBe(1)
  })

  it('repeats a resumable stream that was completed after its reader had left', async () => {
    const pieces = Array.from({ length: 40 }, () => 'x')
    const model = newModel(says(pieces, { paceMs: 50 }))
    const leaving = new AbortController()
    const headers = { 'x-gateway-resume': 'true' }
    const options = { key: randomUUID(), cookie: ada, headers }
    const first = await send(chat, ask(model, { stream: true }), { ...options, signal: leaving.signal })
    await first.body?.getReader().read()
    leaving.abort()
    expect((await send(chat, ask(model, { stream: true }), options)).status).toBe(409)
    await setting.gateway.lineOf(first.headers.get('x-request-id') ?? '')
    const again = await send(chat, ask(model, { stream: true }), options)
    const text = await again.text()
    expect([again.status, isRepeated(again)]).toEqual([200, true])
    expect(text).toMatch(/^id: 1\nevent: start\n.*event: done\n/s)
    expect(again.headers.get('x-gateway-stream-id')).toBe(first.headers.get('x-gateway-stream-id'))
    expect(callsOf(model)).toBe(1)
  })

  it('repeats a refusal of the request itself', async () => {
    const options = { key: randomUUID(), cookie: ada }
    const first = await send(chat, { prompt: '' }, options)
    const again = await send(chat, { prompt: '' }, options)
    expect([first.status, again.status, isRepeated(again)]).toEqual([400, 400, true])
    expect(await again.text()).toBe(await first.text())
  })

  it('makes one batch of a repeated job and of a repeated upload, whose boundaries differ', async () => {
    const jobs = `${setting.gateway.url}/api/batch/jobs`
    const options = { key: randomUUID(), cookie: bob }
    const items = [{ prompt: 'One', model: 'mock/echo' }]
    const first = await send(jobs, { items }, options)
    const again = await send(jobs, { items }, options)
    expect([first.status, again.status, isRepeated(again)]).toEqual([202, 202, true])
    expect(again.headers.get('location')).toBe(first.headers.get('location'))
    expect(await again.text()).toBe(await first.text())
    const upload = (text: string) => {
      const form = new FormData()
      form.append('name', 'Twice')
      form.append('file', new Blob([text]), 'a.txt')
      return send(`${setting.gateway.url}/api/batch/upload`, form, options)
    }
    const one = await upload('Question?')
    const two = await upload('Question?')
    expect([one.status, two.status, isRepeated(two)]).toEqual([202, 202, true])
    expect(await two.text()).toBe(await one.text())
    expect((await upload('Another?')).status).toBe(422)
    const listed = await (await fetch(jobs, { headers: { cookie: bob } })).json()
    expect(listed.jobs).toHaveLength(2)
  })

  it('cancels a batch once, and runs its failed items again once', async () => {
    const jobs = `${setting.gateway.url}/api/batch/jobs`
    const model = newModel(refuses(400))
    const newJob = async (item: object): Promise<string> => {
      const made = await send(jobs, { items: [item] }, { cookie: ada })
      return `${jobs}/${(await made.json()).id}`
    }
    const stateOf = async (job: string) =>
      (await (await fetch(job, { headers: { cookie: ada } })).json()).state
    const twice = async (url: string, until: () => Promise<unknown>) => {
      const options = { key: randomUUID(), cookie: ada }
      const first = await send(url, '', options)
      await until()
      const again = await send(url, '', options)
      expect([first.status, isRepeated(first)]).toEqual([200, false])
      expect([again.status, isRepeated(again)]).toEqual([200, true])
      expect(await again.text()).toBe(await first.text())
      expect((await send(url, '', { key: '', cookie: ada })).status).toBe(400)
    }

    const failing = await newJob(ask(model))
    const failed = () => expect.poll(() => stateOf(failing), { timeout: 10_000 }).toBe('failed')
    await failed()
    await twice(`${failing}/retry`, failed)
    expect(callsOf(model)).toBe(2)

    const hanging = await newJob({ prompt: 'never', model: 'mock/hang' })
    await twice(`${hanging}/cancel`, async () => expect(await stateOf(hanging)).toBe('cancelled'))
  })

  it('repeats audio byte for byte, and a transcription whose form is sent again', async () => {
    const { url } = setting.gateway
    const speech = { model: 'mock', input: 'Hello', voice: 'alloy' }
    const options = { key: randomUUID(), cookie: ada }
    const first = await send(`${url}/v1/audio/speech`, speech, options)
    const bytes = Buffer.from(await first.arrayBuffer())
    const again = await send(`${url}/v1/audio/speech`, speech, options)
    expect([again.status, isRepeated(again)]).toEqual([200, true])
    expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'))
    expect(Buffer.compare(Buffer.from(await again.arrayBuffer()), bytes)).toBe(0)
    const transcribe = () => {
      const form = new FormData()
      form.append('model', 'mock')
      form.append('file', new Blob(['sound']), 'a.wav')
      return send(`${url}/v1/audio/transcriptions`, form, options)
    }
    const text = await (await transcribe()).text()
    const repeated = await transcribe()
    expect([isRepeated(repeated), await repeated.text()]).toEqual([true, text])
  })

  it.each(['', ' ', 'x'.repeat(256), 'a\tb'])('refuses the key %j with 400', async key => {
    expect((await send(chat, ask('none'), { key, cookie: ada })).status).toBe(400)
  })

  it('takes a key of 255 characters', async () => {
    const options = { key: 'k'.repeat(255), cookie: ada }
    await send(chat, ask(newModel()), options)
    expect((await send(chat, ask(newModel()), options)).status).toBe(422)
  })

  it('refuses anonymous callers with 400, in the form of each API, before anything runs', async () => {
    const model = newModel()
    const key = randomUUID()
    const native = await send(chat, ask(model), { key })
    expect([native.status, (await native.json()).error.code]).toEqual([400, 'INVALID_INPUT'])
    const body = { model: `openai/${model}`, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 9 }
    for (const path of ['/v1/chat/completions', '/v1/messages']) {
      const answer = await send(setting.gateway.url + path, body, {
        key,
        headers: { authorization: 'Bearer any' },
      })
      expect([answer.status, (await answer.json()).error.type]).toEqual([400, 'invalid_request_error'])
    }
    expect(
      (await send(`${setting.gateway.url}/api/batch/jobs`, { items: [{ prompt: 'x' }] }, { key })).status,
    ).toBe(400)
    expect(callsOf(model)).toBe(0)
  })

  it('ignores a key that an SDK makes for its own retries, for a caller with a placeholder', async () => {
    const model = newModel()
    const client = new OpenAI({ baseURL: `${setting.gateway.url}/v1`, apiKey: 'any' })
    Object.assign(client, { idempotencyHeader: 'Idempotency-Key' })
    const { choices } = await client.chat.completions.create({
      model: `openai/${model}`,
      messages: [{ role: 'user', content: 'Hi' }],
    })
    expect(choices[0]?.message.content).toBe('Hello!')
    expect(setting.upstream.callsFor(model)[0]?.headers['idempotency-key']).toBeUndefined()
  })
})

describe('Idempotency-Key in two gateways on one Postgres', () => {
  it('runs a request once, wherever its repetition is sent', async () => {
    const server = await PostgresServer.start()
    const env = {
      DATABASE_URL: await server.database(),
      KEY_PEPPER: 'a-pepper-that-both-gateways-share-0123456789',
      ENABLE_RATE_LIMITING: 'false',
      ENABLE_CACHING: 'false',
      MOCK_LATENCY_MS: '300',
    }
    const gateways = [await GatewayProcess.start('native', env), await GatewayProcess.start('native', env)]
    try {
      const [one, two] = gateways as [GatewayProcess, GatewayProcess]
      const options = { key: randomUUID(), cookie: await guestOf(one) }
      const body = { prompt: 'Hi', model: 'mock' }
      const sent = await Promise.all([one, two].map(({ url }) => send(`${url}/api/chat`, body, options)))
      expect(sent.map(({ status }) => status).toSorted()).toEqual([200, 409])
      const text = await sent.find(({ status }) => status === 200)?.text()
      for (const { url } of [one, two]) {
        const again = await send(`${url}/api/chat`, body, options)
        expect([isRepeated(again), await again.text()]).toEqual([true, text])
      }
    } finally {
      for (const gateway of gateways) await gateway.stop()
      await server.remove()
    }
  })
})

describe('a repetition', () => {
  it('counts in the rate limits as a chat does', async () => {
    const gateway = await GatewayProcess.start('native', { RATE_LIMIT_GUEST: '3/1m' })
    try {
      const options = { key: randomUUID(), cookie: await guestOf(gateway) }
      const statuses: number[] = []
      for (let sent = 0; sent < 4; sent += 1)
        statuses.push(
          (await send(`${gateway.url}/api/chat`, { prompt: 'Hi', model: 'mock/echo' }, options)).status,
        )
      expect(statuses).toEqual([200, 200, 200, 429])
    } finally {
      await gateway.stop()
    }
  })
})
