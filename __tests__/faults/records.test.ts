import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchClient } from '../support/batch.ts'
import { post } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { settled } from '../support/settled.ts'
import { says } from '../support/upstream-behaviour.ts'

const ITEMS = 30
/** Real time: SQLite itself waits. */
const LOCKED_MS = 10_000
/** Longer than the pauses of all retries. Real time: that nothing happens has no signal. */
const NOTHING_BEGINS_MS = 2_000
const MODEL = 'gpt-4o-mini'
const USD_EACH = 0.00000405

let upstream: FakeUpstream
let dataDir: string

beforeAll(async () => {
  upstream = await FakeUpstream.start()
})
afterAll(() => upstream?.stop())

const env = () => ({
  DATA_DIR: dataDir,
  OPENAI_API_KEY: 'sk-test',
  OPENAI_BASE_URL: upstream.baseUrl,
  ENABLE_RATE_LIMITING: 'false',
  ENABLE_CACHING: 'false',
})

/** Delays the model's answers from now on. @returns how often it has been asked since */
const modelAfter = (delayMs: number): (() => number) => {
  const before = upstream.callsFor(MODEL).length
  upstream.forModel(MODEL, async (...call) => {
    await sleep(delayMs)
    await says(['Done.'])(...call)
  })
  return () => upstream.callsFor(MODEL).length - before
}

const items = (count: number) => Array.from({ length: count }, (_, at) => ({ prompt: `${at}`, model: MODEL }))

const chatStatus = async (gateway: GatewayProcess): Promise<number> => {
  const answer = await post(gateway.url, { prompt: 'Hi', model: 'mock/echo' })
  await answer.text()
  return answer.status
}

const recordsStatus = async (gateway: GatewayProcess): Promise<string> => {
  const answer = await fetch(`${gateway.url}/api/health`)
  expect(answer.status).toBe(200)
  return (await answer.json()).services.records.status
}

const refusalOf = async (answer: Response) => [answer.status, (await answer.json()).error.code]
const UNAVAILABLE = [503, 'STORE_UNAVAILABLE']

describe('records that cannot be written', () => {
  let gateway: GatewayProcess
  let client: BatchClient

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'parley-faults-'))
    gateway = await GatewayProcess.start('native', env())
    client = new BatchClient(gateway.url)
  })
  afterAll(() => gateway?.stop())

  it('F21: locked for ten seconds: chats and reading go on, nothing is lost and nothing asked twice', async () => {
    const calls = modelAfter(200)
    const { id } = await client.submit(items(ITEMS))
    await client.until(id, ({ counts }) => counts.succeeded > 3)
    const other = new DatabaseSync(join(dataDir, 'parley.db'), { timeout: 5_000 })
    other.exec('begin immediate')
    const lockedAt = performance.now()
    const handedIn = client.post('/jobs', { items: items(1) })
    const slow: number[] = []
    while (performance.now() - lockedAt < LOCKED_MS) {
      const askedAt = performance.now()
      expect(await chatStatus(gateway)).toBe(200)
      expect((await client.ask(`/jobs/${id}`)).status).toBe(200)
      if (performance.now() - askedAt > 1_000) slow.push(performance.now() - askedAt)
      await sleep(100)
    }
    expect(slow).toEqual([])
    expect(await refusalOf(await handedIn)).toEqual(UNAVAILABLE)
    other.exec('rollback')
    other.close()
    const job = await client.ended(id)
    expect(job).toMatchObject({ state: 'completed', counts: { succeeded: ITEMS, failed: 0 } })
    expect(job.costUsd).toBeCloseTo(ITEMS * USD_EACH, 12)
    expect(calls()).toBe(ITEMS)
  })

  it('F22: a full disk: chats and reading go on, what would be written is refused, and it recovers alone', async () => {
    await expect.poll(() => recordsStatus(gateway), { timeout: 30_000 }).toBe('healthy')
    const calls = modelAfter(200)
    const { id } = await client.submit(items(ITEMS))
    await client.until(id, ({ counts }) => counts.succeeded > 3)
    const holdFiles = (bytes: string) =>
      expect(spawnSync('prlimit', ['--pid', `${gateway.pid}`, `--fsize=${bytes}:unlimited`]).status).toBe(0)
    holdFiles('4096')
    await settled(calls)
    const begun = calls()
    expect(await chatStatus(gateway)).toBe(200)
    expect((await client.ask(`/jobs/${id}`)).status).toBe(200)
    expect(await refusalOf(await client.post('/jobs', { items: items(1) }))).toEqual(UNAVAILABLE)
    const text = 'One line of many.\n'.repeat(100_000)
    expect(await refusalOf(await client.upload({ 'a.txt': text }))).toEqual(UNAVAILABLE)
    await sleep(NOTHING_BEGINS_MS)
    expect(calls()).toBe(begun)
    expect(await recordsStatus(gateway)).toBe('degraded')
    expect((await fetch(`${gateway.url}/api/health/ready`)).status).toBe(200)
    holdFiles('unlimited')
    const job = await client.ended(id)
    expect(job).toMatchObject({ state: 'completed', counts: { succeeded: ITEMS, failed: 0 } })
    expect(job.costUsd).toBeCloseTo(ITEMS * USD_EACH, 12)
    expect(calls()).toBe(ITEMS)
    expect((await client.upload({ 'a.txt': 'One line.' })).status).toBe(202)
    await expect.poll(() => recordsStatus(gateway), { timeout: 30_000 }).toBe('healthy')
    const lines = () => gateway.log.filter(({ component }) => component === 'records')
    await gateway.until(() => lines().at(-1)?.level === 'info' || undefined, 'the line that they are back')
    // Those of this fault, after those of the one before.
    expect(
      lines()
        .slice(-2)
        .map(({ level }) => level),
    ).toEqual(['warn', 'info'])
    expect(lines()).toHaveLength(4)
  })
})
