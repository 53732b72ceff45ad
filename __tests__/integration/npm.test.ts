import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { events, post, textOf } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { NpmProcess, type NpmScript, type SignalTarget } from '../support/npm.ts'
import { hangs, says } from '../support/upstream-behaviour.ts'

/** A signal within a second is taken for npm's, which hands on what its group has got already: real time. */
const TAKEN_FOR_THE_SAME_SIGNAL_MS = 1_000

const WORDS = Array(20).fill('word ')

const fileOf = (text: string): string => {
  const path = join(mkdtempSync(join(tmpdir(), 'parley-npm-')), 'gateway.yaml')
  writeFileSync(path, text)
  return path
}

describe('a gateway that npm runs', () => {
  let upstream: FakeUpstream
  let npm: NpmProcess | undefined

  beforeEach(async () => {
    upstream = await FakeUpstream.start()
  })
  afterEach(async () => {
    npm?.kill()
    npm = undefined
    await upstream.stop()
  })

  const start = async (
    script: NpmScript,
    env: Record<string, string> = {},
    options: { terminal?: boolean } = {},
  ): Promise<NpmProcess> => {
    const access = { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: upstream.baseUrl }
    npm = await NpmProcess.start(script, { ...access, ...env }, options)
    return npm
  }
  const isAnswering = ({ url }: NpmProcess): Promise<boolean> =>
    fetch(`${url}/api/health/live`).then(
      ({ ok }) => ok,
      () => false,
    )

  it.each<[NodeJS.Signals, SignalTarget, number | string]>([
    ['SIGTERM', 'npm', 0],
    ['SIGTERM', 'group', 0],
    ['SIGINT', 'npm', 0],
    ['SIGINT', 'group', 0],
    ['SIGHUP', 'npm', 'SIGHUP'],
    ['SIGHUP', 'group', 'SIGHUP'],
    ['SIGKILL', 'npm', 'SIGKILL'],
  ])('lets a stream end after %s to %s, and then nothing listens any more', async (signal, target, code) => {
    const running = await start('start')
    upstream.usually(says(WORDS, { paceMs: 60 }))
    const answer = await post(running.url, { prompt: 'Hi', model: 'openai/any', stream: true })
    running.signal(signal, target)
    const found = await events(answer)
    expect(textOf(found)).toBe(WORDS.join(''))
    expect(found.at(-1)?.event).toBe('done')
    expect(await running.exited()).toBe(code)
    await running.scriptEnded()
    expect(await isAnswering(running)).toBe(false)
    expect(running.said).toContain('"message":"stopped"')
  })

  it.each<[NodeJS.Signals, SignalTarget, number | string]>([
    ['SIGTERM', 'npm', 0],
    ['SIGINT', 'group', 0],
    ['SIGHUP', 'npm', 'SIGHUP'],
  ])('stops as a worker after %s to %s', async (signal, target, code) => {
    const running = await start('worker')
    running.signal(signal, target)
    expect(await running.exited()).toBe(code)
    await running.scriptEnded()
    expect(running.said).toContain('"message":"stopped"')
  })

  it.runIf(process.platform === 'linux').each<[NodeJS.Signals, SignalTarget]>([
    ['SIGTERM', 'npm'],
    ['SIGINT', 'group'],
    ['SIGHUP', 'npm'],
    ['SIGKILL', 'npm'],
  ])('leaves no process of `npm run dev` behind after %s to %s', async (signal, target) => {
    const running = await start('dev', { ENABLE_CONSOLE: 'true' })
    // A page has Next start processes for its styles.
    expect((await fetch(running.url)).status).toBe(200)
    expect(running.left.length).toBeGreaterThan(2)
    running.signal(signal, target)
    await running.exited()
    await expect.poll(() => running.left, { timeout: 10_000 }).toEqual([])
    expect(await isAnswering(running)).toBe(false)
  })

  it('ends at once after a second SIGTERM, npm with it', async () => {
    const running = await start('start')
    upstream.usually(hangs)
    post(running.url, { prompt: 'Hi', model: 'openai/any' }).catch(() => {})
    await expect.poll(() => upstream.calls.length).toBe(1)
    running.signal('SIGTERM', 'npm')
    await running.says('"message":"stopping"')
    await sleep(TAKEN_FOR_THE_SAME_SIGNAL_MS + 100)
    running.signal('SIGTERM', 'npm')
    expect(await running.exited()).toBe(143)
    await running.scriptEnded()
  })

  it('ends with npm also where SIGHUP reads a configuration file anew', async () => {
    const running = await start('start', { GATEWAY_CONFIG: fileOf('limits: { api: 50/1m }\n') })
    running.signal('SIGHUP', 'group')
    expect(await running.exited()).toBe('SIGHUP')
    await running.scriptEnded()
    expect(running.said).toContain('"message":"stopped"')
  })

  it('lets a stream end when its terminal is closed, though its log cannot be written any more', async () => {
    const running = await start('start', {}, { terminal: true })
    upstream.usually(says(WORDS, { paceMs: 60 }))
    const answer = await post(running.url, { prompt: 'Hi', model: 'openai/any', stream: true })
    running.signal('SIGKILL', 'npm')
    expect((await events(answer)).at(-1)?.event).toBe('done')
    await expect.poll(() => isAnswering(running), { timeout: 10_000 }).toBe(false)
  })
})
