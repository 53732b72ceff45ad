import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Json } from '../support/chat.ts'
import { EvaluationClient } from '../support/evaluation.ts'
import { GatewayProcess, HOSTS, ROOT } from '../support/gateway.ts'

const ROWS = [
  { id: '=1+1', input: '=cmd|A1', reference: '=cmd|A1', metadata: { tone: 'short' } },
  { id: 'two', input: [{ role: 'user', content: 'Two' }], reference: 'Two' },
]

describe.each(HOSTS)('evaluations under the %s server', host => {
  let gateway: GatewayProcess
  let ada: EvaluationClient
  beforeAll(async () => {
    gateway = await GatewayProcess.start(host, {
      TRUSTED_PROXY_HOPS: '1',
      ENABLE_RATE_LIMITING: 'false',
      DEFAULT_MODEL: 'mock',
    })
    ada = new EvaluationClient(gateway.url, { 'x-forwarded-for': '192.0.2.1' })
  })
  afterAll(() => gateway?.stop())

  const newRun = async (more: object = {}, rows: readonly object[] = ROWS): Promise<Json> => {
    const dataset = await ada.made('evaluations/datasets', { name: 'Rows', rows })
    return ada.made('evaluations', {
      dataset: dataset.id,
      variants: [
        { model: 'mock/echo' },
        { name: 'other', model: 'mock/echo', prompt: '{{input}}, {{metadata.tone}}' },
      ],
      graders: ['exact', 'contains'],
      ...more,
    })
  }

  it.each([
    ['JSON', 'application/json', JSON.stringify({ name: 'Rows', rows: ROWS })],
    ['JSON lines', 'application/jsonl', ROWS.map(row => JSON.stringify(row)).join('\n')],
    [
      'JSON lines of Windows',
      'application/x-ndjson',
      `\ufeff${ROWS.map(row => JSON.stringify(row)).join('\r\n')}\r\n`,
    ],
  ])('keep a data set that was sent as %s', async (_, type, body) => {
    const answer = await ada.ask('evaluations/datasets?name=Rows', {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    })
    const made = await answer.json()
    expect([answer.status, made.name, made.rows]).toEqual([201, 'Rows', 2])
    expect((await ada.json(`evaluations/datasets/${made.id}`)).firstRows).toEqual(ROWS)
  })

  it('keep a data set that was uploaded as a file, under its name', async () => {
    const form = new FormData()
    form.append('file', new Blob(['{"input": "a"}\n\n{"input": "b", "id": 7}\n']), 'rows.jsonl')
    const answer = await ada.ask('evaluations/datasets', { method: 'POST', body: form })
    expect(answer.status).toBe(201)
    const { id, name } = await answer.json()
    expect(name).toBe('rows.jsonl')
    expect((await ada.json(`evaluations/datasets/${id}`)).firstRows).toEqual([
      { id: '1', input: 'a' },
      { id: '7', input: 'b' },
    ])
  })

  it.each<[string, string, string]>([
    ['no JSON', '{"input": "a"}\n{oops', 'line 2'],
    ['an unknown field', '{"input": "a", "answer": "b"}', 'line 1.answer'],
    ['no input', '{"reference": "a"}', 'line 1.input'],
    ['an id that two rows have', '{"input": "a", "id": "x"}\n{"input": "b", "id": "x"}', 'line 2.id'],
    ['no rows', '\n\n', 'body'],
  ])('refuse JSON lines with %s by the line', async (_, body, path) => {
    const answer = await ada.ask('evaluations/datasets', {
      method: 'POST',
      headers: { 'content-type': 'application/jsonl' },
      body,
    })
    const { error } = await answer.json()
    expect([answer.status, error.code]).toEqual([400, 'INVALID_INPUT'])
    expect(error.details.map((one: Json) => one.path)).toContain(path)
  })

  it('keep 50 data sets of a caller without a key, and no more until one is deleted', async () => {
    const eve = new EvaluationClient(gateway.url, { 'x-forwarded-for': '192.0.2.5' })
    const ids: string[] = []
    for (let made = 0; made < 50; made += 1)
      ids.push((await eve.made('evaluations/datasets', { rows: ROWS })).id)
    const full = await eve.post('evaluations/datasets', { rows: ROWS })
    expect([full.status, (await full.json()).error.code]).toEqual([429, 'QUOTA_EXCEEDED'])
    await eve.ask(`evaluations/datasets/${ids[0]}`, { method: 'DELETE' })
    expect((await eve.post('evaluations/datasets', { rows: ROWS })).status).toBe(201)
    const page = await eve.json('evaluations/datasets?limit=30')
    const next = await eve.json(`evaluations/datasets?limit=30&cursor=${page.nextCursor}`)
    const listed = [...page.datasets, ...next.datasets].map(({ id }: Json) => id)
    expect([new Set(listed).size, next.nextCursor]).toEqual([50, null])
  })

  it('compare variants side by side, and say whether they reach the threshold', async () => {
    const { id } = await newRun({ threshold: 0.9 })
    expect(await ada.ended(id)).toMatchObject({ state: 'completed', progress: 1, threshold: 0.9 })
    const report = await ada.json(`evaluations/${id}/report`)
    expect(report).toMatchObject({
      passed: false,
      variants: [
        { name: 'mock/echo', rows: 2, failures: 0, wins: 2, ties: 0, losses: 0, meetsThreshold: true },
        { name: 'other', rows: 2, wins: 0, ties: 0, losses: 2, meetsThreshold: false },
      ],
    })
    const [first, other] = report.variants
    expect(first.score).toEqual({ value: 1, low: 1, high: 1 })
    expect(first.passRate.value).toBe(1)
    expect(first.passRate.low).toBeCloseTo(0.342, 3)
    expect(other.score).toEqual({ value: 0.5, low: 0.5, high: 0.5 })
    expect(report.rows[0].answers.map((one: Json) => one.answer)).toEqual(['=cmd|A1', '=cmd|A1, short'])
  })

  it('give tables in which nothing is a formula, and a page with its own style alone', async () => {
    const { id } = await newRun()
    await ada.ended(id)
    const table = async (query: string) => {
      const answer = await ada.ask(`evaluations/${id}/report?format=csv${query}`)
      expect(answer.headers.get('content-type')).toMatch(/^text\/csv/)
      return parse(await answer.text(), { columns: true, bom: true }) as Json[]
    }
    expect((await table('')).map(({ variant, score }) => [variant, score])).toEqual([
      ['mock/echo', '1'],
      ['other', '0.5'],
    ])
    const [first] = await table('&by=row')
    expect([first.row, first.answer, first['exact.score']]).toEqual(["'=1+1", "'=cmd|A1", '1'])
    const page = await ada.ask(`evaluations/${id}/report?format=html`)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/)
    expect(await page.text()).toContain('<th scope="row">mock/echo')
    expect((await ada.ask(`evaluations/${id}/report?format=pdf`)).status).toBe(400)
  })

  it('are found by their owner alone: for another caller there is no run and no data set', async () => {
    const bob = new EvaluationClient(gateway.url, { 'x-forwarded-for': '192.0.2.2' })
    const run = await newRun()
    await ada.ended(run.id)
    const paths: readonly [string, string][] = [
      ['GET', `evaluations/${run.id}`],
      ['GET', `evaluations/${run.id}/report`],
      ['GET', `evaluations/${run.id}/report?format=csv`],
      ['POST', `evaluations/${run.id}/cancel`],
      ['DELETE', `evaluations/${run.id}`],
      ['GET', `evaluations/datasets/${run.dataset.id}`],
      ['DELETE', `evaluations/datasets/${run.dataset.id}`],
    ]
    for (const [method, path] of paths) {
      const answer = await bob.ask(path, { method })
      expect([path, answer.status, (await answer.json()).error.code]).toEqual([path, 404, 'NOT_FOUND'])
    }
    const body = { dataset: run.dataset.id, variants: [{ model: 'mock' }], graders: ['exact'] }
    expect((await bob.post('evaluations', body)).status).toBe(404)
    expect((await bob.json('evaluations')).evaluations).toEqual([])
    expect((await bob.json('evaluations/datasets')).datasets).toEqual([])
    expect((await ada.json(`evaluations/${run.id}`)).id).toBe(run.id)
  })

  it('are no batches of their owner', async () => {
    const run = await newRun()
    await ada.ended(run.id)
    expect((await ada.json('batch/jobs')).jobs).toEqual([])
  })

  it('end when they are cancelled, and are deleted only then', async () => {
    const rows = Array.from({ length: 60 }, (_, index) => ({ input: `${index}`, reference: 'x' }))
    const { id } = await newRun({ variants: [{ model: 'mock/slow' }] }, rows)
    expect((await ada.ask(`evaluations/${id}`, { method: 'DELETE' })).status).toBe(409)
    const cancelled = await (await ada.post(`evaluations/${id}/cancel`)).json()
    expect(cancelled).toMatchObject({ state: 'cancelled', progress: 1 })
    expect((await ada.post(`evaluations/${id}/cancel`)).status).toBe(409)
    expect((await ada.json(`evaluations/${id}/report`)).passed).toBeNull()
    expect((await ada.ask(`evaluations/${id}`, { method: 'DELETE' })).status).toBe(200)
    expect((await ada.ask(`evaluations/${id}`)).status).toBe(404)
  })

  it('count an answer that failed as 0, with its error', async () => {
    const { id } = await newRun({ variants: [{ model: 'openai-compatible/none' }] }).catch(() => ({ id: '' }))
    expect(id).toBe('')
    const run = await newRun({ variants: [{ model: 'mock/nothing' }, { model: 'mock/echo' }] })
    await ada.ended(run.id)
    const report = await ada.json(`evaluations/${run.id}/report`)
    expect(report.variants[0]).toMatchObject({ failures: 2, score: { value: 0 }, losses: 2 })
    expect(report.rows[0].answers[0]).toMatchObject({ state: 'failed', error: { code: 'NOT_FOUND' } })
  })

  it.each<[string, object, string]>([
    ['an unknown model', { variants: [{ model: 'no-such-model' }] }, 'variants[0].model'],
    ['a judge that is unknown', { graders: [{ type: 'judge', model: 'no-such' }] }, 'graders[0].model'],
    ['no variants', { variants: [] }, 'variants'],
    [
      'two variants of one name',
      {
        variants: [
          { name: 'a', model: 'mock' },
          { name: 'a', model: 'mock' },
        ],
      },
      'variants[1].name',
    ],
    ['a threshold above 1', { threshold: 80 }, 'threshold'],
    ['an expression that is invalid', { graders: [{ type: 'regex', pattern: '[' }] }, 'graders[0].pattern'],
  ])('are refused with %s, by its path', async (_, more, path) => {
    const dataset = await ada.made('evaluations/datasets', { rows: ROWS })
    const usual = { dataset: dataset.id, variants: [{ model: 'mock' }], graders: ['exact'] }
    const answer = await ada.post('evaluations', { ...usual, ...more })
    const { error } = await answer.json()
    expect([answer.status, error.code]).toEqual([400, 'INVALID_INPUT'])
    expect(error.details.map((one: Json) => one.path)).toContain(path)
  })

  it('are refused where a row lacks the reference that a grader needs', async () => {
    const dataset = await ada.made('evaluations/datasets', { rows: [ROWS[0], { input: 'b' }] })
    const answer = await ada.post('evaluations', {
      dataset: dataset.id,
      variants: [{ model: 'mock' }],
      graders: ['similarity'],
    })
    expect(answer.status).toBe(400)
    expect((await answer.json()).error.details).toEqual([
      { path: 'dataset.rows[1].reference', message: 'is required by the grader similarity' },
    ])
  })
})

describe('npm run evaluate', () => {
  const directory = mkdtempSync(join(tmpdir(), 'parley-evaluate-'))
  let gateway: GatewayProcess
  beforeAll(async () => {
    gateway = await GatewayProcess.start('native', { ENABLE_RATE_LIMITING: 'false' })
    writeFileSync(
      join(directory, 'rows.jsonl'),
      '{"input": "Paris", "reference": "Paris"}\n{"input": "Rome", "reference": "Oslo"}\n',
    )
  })
  afterAll(() => gateway?.stop())

  type Result = Readonly<{ code: number; out: string; err: string }>
  const evaluate = (plan: unknown, url = gateway.url): Promise<Result> =>
    new Promise(resolve => {
      const file = join(directory, 'evaluation.json')
      writeFileSync(file, typeof plan === 'string' ? plan : JSON.stringify(plan))
      const env = { PATH: process.env.PATH ?? '', NODE_ENV: 'production' as const, PARLEY_URL: url }
      execFile(process.execPath, ['scripts/evaluate.ts', file], { cwd: ROOT, env }, (error, out, err) =>
        resolve({ code: Number(error?.code ?? 0), out, err }),
      )
    })
  const plan = { dataset: 'rows.jsonl', variants: [{ model: 'mock/echo' }], graders: ['exact'] }

  it('prints a table and ends with 0 where the threshold is reached, and with 1 where it is not', async () => {
    const passed = await evaluate({ ...plan, threshold: 0.5 })
    expect([passed.code, passed.err]).toEqual([0, expect.stringContaining('Passed.')])
    expect(passed.out).toMatch(/^variant +score.*\nmock\/echo +0\.500 \(0\.000 to 1\.000\)/)
    const failed = await evaluate({ ...plan, threshold: 0.51 })
    expect([failed.code, failed.err]).toEqual([1, expect.stringContaining('Not passed.')])
  })

  it.each<[string, unknown, RegExp]>([
    ['no JSON', '{', /is not JSON/],
    ['no data set', { variants: [] }, /dataset must be/],
    ['a data set that cannot be read', { ...plan, dataset: 'missing.jsonl' }, /ENOENT/],
    ['an unknown model', { ...plan, variants: [{ model: 'nope' }] }, /variants\[0\]\.model/],
  ])('ends with 2 and says why for a file with %s', async (_, broken, why) => {
    const { code, err } = await evaluate(broken)
    expect([code, err]).toEqual([2, expect.stringMatching(why)])
  })

  it.each(['localhost:3000', 'parley', 'file:///etc/hosts'])(
    'ends with 2 and says so where PARLEY_URL is “%s”',
    async url => {
      expect(await evaluate(plan, url)).toEqual({
        code: 2,
        out: '',
        err: `PARLEY_URL must be an http:// or https:// address, not “${url}”.\n`,
      })
    },
  )

  it('deletes its data set once the run has started', async () => {
    const client = new EvaluationClient(gateway.url)
    await evaluate(plan)
    expect((await client.json('evaluations/datasets')).datasets).toEqual([])
  })
})
