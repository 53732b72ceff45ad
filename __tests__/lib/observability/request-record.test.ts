import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { newCounts } from '#lib/cache/counts.ts'
import { GatewayError } from '#lib/errors.ts'
import { ActiveRequests } from '#lib/http/active-requests.ts'
import type { Usage } from '#lib/llm/types.ts'
import { createLogger } from '#lib/observability/logger.ts'
import { Metrics } from '#lib/observability/metrics.ts'
import { redactor } from '#lib/observability/redact.ts'
import { reportBatchItem, reportRefresh, reportRequest } from '#lib/observability/request-record.ts'
import { Lifecycle } from '#lib/process/lifecycle.ts'
import type { RequestEnd } from '#lib/request-context.ts'
import { newCall, TARGET } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const USAGE: Usage = { inputTokens: 3, outputTokens: 4 }
const ANSWERED: RequestEnd = { method: 'POST', status: 200, thrown: undefined, abortedBy: undefined }

/** What writes the ends of requests, with a log that is kept here. */
const setting = () => {
  const clock = new FakeClock()
  const lines: Record<string, unknown>[] = []
  const destination = new Writable({
    write(line, _, done) {
      lines.push(JSON.parse(String(line)))
      done()
    },
  })
  const logger = createLogger({ level: 'info', pretty: false, redact: redactor([]), destination })
  const activeRequests = new ActiveRequests()
  const metrics = new Metrics({
    isKnown: () => true,
    activeRequests: () => activeRequests.count,
    cache: { counts: newCounts() },
  })
  const captured: unknown[] = []
  const errors = { capture: (error: unknown) => void captured.push(error), flush: async () => {} }
  const lifecycle = new Lifecycle(activeRequests, clock, logger)
  const ended: unknown[] = []
  const ledger = { requestEnded: (...end: readonly unknown[]) => void ended.push(end) }
  return { clock, lines, logger, metrics, activeRequests, captured, errors, lifecycle, ledger, ended }
}

/** A call that was answered, of which it is not known yet what it used. */
const answered = () => {
  const usage = Promise.withResolvers<Usage>()
  const call = newCall()
  call.journal.usage = usage.promise
  call.journal.head = { id: 'chat_1', target: TARGET, cache: 'miss' }
  return { call, usage }
}

const tokensOf = async (metrics: Metrics): Promise<string[]> =>
  (await metrics.text()).split('\n').filter(line => line.startsWith('parley_tokens_total{'))

describe('the end of a request', () => {
  it.each([
    ['a request', reportRequest, ANSWERED],
    ['a refresh', reportRefresh, undefined],
    ['an item of a batch', reportBatchItem, undefined],
  ] as const)('is waited for by a gateway that stops, until it is written: %s', async (_, report, end) => {
    const parts = setting()
    const { clock, lines, metrics, activeRequests, lifecycle } = parts
    const open = activeRequests.open(new AbortController().signal)
    const { call, usage } = answered()
    const write = report(parts) as (...end: readonly unknown[]) => Promise<void>
    open.close(write(call, end))
    let stopped = false
    const stopping = lifecycle
      .stop(60_000, () => {}, 0)
      .then(() => {
        stopped = true
      })
    await clock.advance(30_000)
    expect([stopped, activeRequests.count]).toEqual([false, 1])
    expect(lines.filter(({ requestId }) => requestId === call.requestId)).toEqual([])

    usage.resolve(USAGE)
    await clock.advance(0)
    expect(activeRequests.count).toBe(0)
    expect(lines.filter(({ requestId }) => requestId === call.requestId)).toMatchObject([USAGE])
    expect(await tokensOf(metrics)).toHaveLength(2)
    await clock.advance(10_000)
    await stopping
  })

  it('that cannot be written keeps no gateway from stopping, and is said in the log', async () => {
    const parts = setting()
    const open = parts.activeRequests.open(new AbortController().signal)
    const { call, usage } = answered()
    open.close(reportRequest(parts)(call, ANSWERED))
    usage.reject(new Error('never'))
    await parts.activeRequests.none()
    expect(parts.lines.map(({ message }) => message)).toContain(
      'the record of a request could not be written',
    )
  })

  const failed = new GatewayError('PROVIDER_ERROR')
  const broken = new GatewayError('TIMEOUT')
  const gone = new GatewayError('CLIENT_GONE')
  it.each([
    [
      'what it was refused with',
      { thrown: failed, error: broken, abortedBy: gone },
      'PROVIDER_ERROR',
      'error',
    ],
    ['what went wrong behind its beginning', { error: broken, abortedBy: gone }, 'TIMEOUT', 'error'],
    ['why it was broken off', { abortedBy: gone }, 'CLIENT_GONE', 'aborted'],
    ['nothing', {}, undefined, 'ok'],
  ] as const)('tells of %s', async (_, found, code, outcome) => {
    const parts = setting()
    const call = newCall()
    const { thrown, error, abortedBy } = {
      thrown: undefined,
      error: undefined,
      abortedBy: undefined,
      ...found,
    }
    if (error) call.journal.error = error
    await reportRequest(parts)(call, { ...ANSWERED, thrown, abortedBy })
    expect(parts.lines).toMatchObject([{ outcome, ...(code && { code }) }])
    expect('code' in (parts.lines[0] ?? {})).toBe(code !== undefined)
  })

  it('of an item has what went wrong after an answer that was whole for its reader', async () => {
    const parts = setting()
    const call = newCall()
    call.journal.error = broken
    await reportBatchItem(parts)(call, undefined)
    expect(parts.lines).toMatchObject([{ code: 'TIMEOUT', message: 'batch item failed' }])
  })

  it('that is our fault is reported with its cause', async () => {
    const parts = setting()
    const cause = new Error('ours')
    const thrown = new GatewayError('INTERNAL_ERROR', undefined, { cause })
    await reportRequest(parts)(newCall(), { ...ANSWERED, thrown })
    expect(parts.captured).toEqual([cause])
  })
})
