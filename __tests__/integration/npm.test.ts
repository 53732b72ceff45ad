import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { events, post, textOf } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { NpmProcess, type NpmScript, type SignalTarget } from '../support/npm.ts'
import { chunk, hangs, says, sse, streamEnd, write } from '../support/upstream-behaviour.ts'

/** A signal within a second of itself counts as the one that npm forwards. Real time: the process counts it. */
const TAKEN_FOR_THE_SAME_SIGNAL_MS = 1_000

const WORDS = ['Under', ' way', ' at', ' the', ' signal']

/** npm, the script and Next's server. */
const DEV_PROCESSES = 3
/** On a quiet machine, with two cores for it, a page takes 10 to 25 s. */
const COMPILING_WITHIN_MS = 240_000

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
  /** A stream that has begun, and ends once the gateway has logged that it is stopping. */
  const streamUntilStopping = async (running: NpmProcess): Promise<Response> => {
    const [first = '', ...others] = WORDS
    upstream.usually(async (response, _asked, signal) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      await write(response, sse(chunk({ content: first })), signal)
      await running.says('"message":"stopping"')
      for (const word of others) await write(response, sse(chunk({ content: word })), signal)
      response.end(streamEnd())
    })
    return post(running.url, { prompt: 'Hi', model: 'openai/any', stream: true })
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
    const answer = await streamUntilStopping(running)
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
    ['SIGHUP', 'npm', 'SIGHUP'],
  ])('stops as a worker after %s to %s', async (signal, target, code) => {
    const running = await start('worker')
    running.signal(signal, target)
    expect(await running.exited()).toBe(code)
    await running.scriptEnded()
    expect(running.said).toContain('"message":"stopped"')
  })

  it
    .runIf(process.platform === 'linux')
    .each<[NodeJS.Signals, SignalTarget, 'at rest' | 'compiling a page']>([
      ['SIGTERM', 'npm', 'at rest'],
      ['SIGHUP', 'group', 'at rest'],
      ['SIGINT', 'group', 'compiling a page'],
      // Without npm the script sends itself SIGTERM: this is what SIGTERM does while it compiles, too.
      ['SIGKILL', 'npm', 'compiling a page'],
    ])(
    'leaves no process of `npm run dev` running after %s to %s, %s',
    { timeout: COMPILING_WITHIN_MS + 60_000 },
    async (signal, target, work) => {
      const running = await start('dev', { ENABLE_CONSOLE: 'true' })
      expect(running.left).toHaveLength(DEV_PROCESSES)
      if (work === 'compiling a page') {
        // For a page Next starts processes that compile its styles.
        fetch(running.url).catch(() => {})
        await expect
          .poll(() => running.left.length, { timeout: COMPILING_WITHIN_MS })
          .toBeGreaterThan(DEV_PROCESSES)
      }
      running.signal(signal, target)
      await running.exited()
      await expect.poll(() => running.left, { timeout: 10_000 }).toEqual([])
      expect(await isAnswering(running)).toBe(false)
    },
  )

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
    // Without a terminal there is no line to wait for: the stream goes on for long enough to be under way.
    upstream.usually(says(Array(20).fill('word '), { paceMs: 60 }))
    const answer = await post(running.url, { prompt: 'Hi', model: 'openai/any', stream: true })
    running.signal('SIGKILL', 'npm')
    expect((await events(answer)).at(-1)?.event).toBe('done')
    await expect.poll(() => isAnswering(running), { timeout: 10_000 }).toBe(false)
  })
})
