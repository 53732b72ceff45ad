import { createConnection, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { type Answer, AnswerReader, plainBody } from './answer-reader.ts'
import type { LoadOrder, LoadResult } from './order.ts'
import { percentile } from './percentile.ts'

const timeoutMs = 30_000

type Tally = { begun: number; latenciesMs: number[]; failures: number; firstFailure?: string }

/** Keeps each connection busy with one request after the other, and reports when the last answer is in. */
export async function runClosedLoop(order: LoadOrder): Promise<LoadResult> {
  const tally: Tally = { begun: 0, latenciesMs: [], failures: 0 }
  const startedAt = performance.now()
  const stopAt = startedAt + order.atMostMs
  await Promise.all(Array.from({ length: order.connections }, () => keepAsking(order, stopAt, tally)))
  const elapsedMs = performance.now() - startedAt
  const ascending = tally.latenciesMs.toSorted((a, b) => a - b)
  return {
    requests: ascending.length,
    failures: tally.failures,
    ...(tally.firstFailure === undefined ? {} : { firstFailure: tally.firstFailure }),
    elapsedMs,
    p50Ms: percentile(ascending, 50) ?? 0,
    p99Ms: percentile(ascending, 99) ?? 0,
  }
}

/** One connection's share. A connection that breaks is a failure and is not opened again. */
function keepAsking(order: LoadOrder, stopAt: number, tally: Tally): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const socket: Socket = createConnection({ port: order.port, host: '127.0.0.1', noDelay: true })
  const reader = new AnswerReader()
  const request = Buffer.from(order.request)
  const most = order.atMostRequests ?? Number.POSITIVE_INFINITY
  let askedAt = 0
  let done = false

  const ask = () => {
    tally.begun += 1
    askedAt = performance.now()
    socket.write(request)
  }
  const finish = () => {
    done = true
    socket.destroy()
    resolve()
  }
  const disconnect = (why: string) => {
    if (done) return
    fail(tally, why)
    finish()
  }
  const receive = (read: Buffer) => {
    const answer = reader.push(read)
    if (answer === undefined) return
    const now = performance.now()
    tally.latenciesMs.push(now - askedAt)
    const fault = faultOf(answer, order.expected)
    if (fault !== undefined) fail(tally, fault)
    if (now < stopAt && tally.begun < most) ask()
    else finish()
  }

  socket.setTimeout(timeoutMs, () => disconnect(`No byte for ${timeoutMs} ms`))
  socket.on('connect', ask)
  socket.on('data', read => {
    try {
      receive(read)
    } catch (error) {
      disconnect(String(error))
    }
  })
  socket.on('error', error => disconnect(error.message))
  socket.on('close', () => disconnect('The server closed the connection'))
  return promise
}

function fail(tally: Tally, why: string) {
  tally.failures += 1
  tally.firstFailure ??= why
}

function faultOf(answer: Answer, expected: readonly string[]): string | undefined {
  if (answer.status !== 200) return `Status ${answer.status}: ${plainBody(answer).slice(0, 300)}`
  if (expected.every(text => answer.body.includes(text))) return undefined
  // The boundary of an HTTP chunk may lie within a searched text.
  const body = plainBody(answer)
  const missing = expected.find(text => !body.includes(text))
  return missing === undefined ? undefined : `Incomplete, without ${missing}: …${body.slice(-300)}`
}
