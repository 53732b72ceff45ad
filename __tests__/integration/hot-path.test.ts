import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, ROOT } from '../support/gateway.ts'
import { INSPECTED, PreciseCoverage } from '../support/precise-coverage.ts'

const WARM_UP_CALLS = 10
/** Calls, and calls at once: so many that what a timer runs meanwhile stays far below one run for each call. */
const COUNTED_CALLS = 200
const AT_ONCE = 10

/** Makes calls, each with a question of its own, which no cache answers; they are read to their end and recorded. */
const callsOf = (gateway: GatewayProcess) => {
  let question = 0
  return async (calls: number): Promise<void> => {
    const requestIds: string[] = []
    const ask = async (): Promise<void> => {
      const response = await fetch(`${gateway.url}/api/chat`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: `Question ${++question}` }),
      })
      expect(await response.json()).toMatchObject({ finishReason: 'stop', cache: 'miss' })
      requestIds.push(response.headers.get('x-request-id') ?? '')
    }
    for (let sent = 0; sent < calls; sent += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, ask))
    for (const requestId of requestIds) await gateway.lineOf(requestId)
  }
}

const list = (files: ReadonlyMap<string, readonly string[]>): string =>
  [...files]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([file, functions]) => `${statSync(join(ROOT, file)).size} bytes, ${file}: ${functions.join(', ')}`)
    .join('\n')

let upstream: FakeUpstream
let gateway: GatewayProcess | undefined

beforeAll(async () => {
  upstream = await FakeUpstream.start()
})
afterEach(async () => gateway?.stop())
afterAll(async () => upstream.stop())

describe.each([
  ['the mock provider', 96, () => ({})],
  ['OpenAI’s format', 110, () => ({ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: upstream.baseUrl })],
])('with %s', (_, most, env: () => Record<string, string>) => {
  // Work of timers, which no call waits for, runs less often than the calls and is therefore not counted.
  it(`a JSON chat call passes through at most ${most} files of the project`, async () => {
    gateway = await GatewayProcess.start(
      'native',
      { ...INSPECTED, RATE_LIMIT_ANONYMOUS: '10000/1m', ...env() },
      { fromSources: true },
    )
    const call = callsOf(gateway)
    await call(WARM_UP_CALLS)
    const coverage = await PreciseCoverage.start(gateway)
    await call(COUNTED_CALLS)
    const files = await coverage.filesRun(COUNTED_CALLS)
    coverage.stop()
    expect(files.size, `${files.size} files:\n${list(files)}`).toBeLessThanOrEqual(most)
  })
})
