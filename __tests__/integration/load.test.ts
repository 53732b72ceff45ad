import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { events, json, post, textOf } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { says } from '../support/upstream-behaviour.ts'

const STREAMS = 1_000
const PIECES = Array.from({ length: 25 }, (_, index) => `piece ${index} `)
const KIBIBYTES_A_MEBIBYTE = 1024

const residentKibibytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

describe.runIf(process.platform === 'linux')('a thousand streams at once', () => {
  it('all come to their end whole, and leave no call open and no memory in use', {
    timeout: 600_000,
  }, async () => {
    const upstream = (await FakeUpstream.start()).usually(says(PIECES, { paceMs: 20 }))
    const gateway = await GatewayProcess.start('native', {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      LOG_LEVEL: 'silent',
      // The promise is that none is lost, also on a machine that is slow to start a thousand of them.
      REQUEST_TIMEOUT_MS: '120000',
    })
    const one = async () => {
      const found = await events(
        await post(gateway.url, { prompt: 'Hi', model: 'openai/any', stream: true, cache: 'no-store' }),
      )
      return textOf(found) === PIECES.join('') && found.at(-1)?.event === 'done'
    }
    const wave = async (streams: number) => {
      const whole = await Promise.all(Array.from({ length: streams }, one))
      expect(whole.filter(Boolean)).toHaveLength(streams)
    }
    try {
      // The first waves grow the heap to its working size; a further one must need nothing more.
      await wave(STREAMS)
      await wave(STREAMS / 2)
      const before = residentKibibytes(gateway.pid)
      await wave(STREAMS / 2)
      await expect.poll(() => upstream.open, { timeout: 20_000 }).toEqual([])
      expect(upstream.calls).toHaveLength(2 * STREAMS)
      expect(residentKibibytes(gateway.pid) - before).toBeLessThan(50 * KIBIBYTES_A_MEBIBYTE)
    } finally {
      await gateway.stop()
      await upstream.stop()
    }
  })
})

const LINES = 50_000
const LINE_CHARACTERS = 4_000

/** The body of an upload of so many lines in OpenAI's form, made as it is read. */
async function* uploadOf(lines: number, boundary: string): AsyncGenerator<Uint8Array> {
  const text = (part: string) => new TextEncoder().encode(part)
  yield text(`--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n`)
  for (let at = 0; at < lines; at += 1) {
    const messages = [{ role: 'user', content: `${at} ${'x'.repeat(LINE_CHARACTERS)}` }]
    const body = { model: 'gpt-4o-mini', messages }
    yield text(
      `${JSON.stringify({ custom_id: `${at}`, method: 'POST', url: '/v1/chat/completions', body })}\n`,
    )
  }
  yield text(`\r\n--${boundary}--\r\n`)
}

describe.runIf(process.platform === 'linux')('an upload of 200 MB', () => {
  it('becomes 50,000 items without being held in memory, and delays no other caller', {
    timeout: 600_000,
  }, async () => {
    const gateway = await GatewayProcess.start('native', {
      OPENAI_API_KEY: 'sk-test',
      ENABLE_RATE_LIMITING: 'false',
      BATCH_WORKER: 'false',
      BATCH_MAX_FILE_BYTES: '250000000',
      BATCH_MAX_UPLOAD_BYTES: '250000000',
    })
    const upload = async (lines: number) => {
      const boundary = 'xxPARLEYxx'
      const answer = await fetch(`${gateway.url}/api/batch/upload`, {
        method: 'POST',
        headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
        body: Readable.toWeb(Readable.from(uploadOf(lines, boundary))),
        duplex: 'half',
      } as RequestInit)
      return { status: answer.status, job: await json(answer) }
    }
    let isGoing = true
    const watch = async () => {
      let peak = 0
      for (; isGoing; await sleep(20)) {
        peak = Math.max(peak, residentKibibytes(gateway.pid))
        expect((await fetch(`${gateway.url}/api/health/live`)).status).toBe(200)
      }
      return peak
    }
    try {
      // The first one loads the code and grows the heap to its working size.
      await upload(10_000)
      const before = residentKibibytes(gateway.pid)
      const watched = watch()
      const { status, job } = await upload(LINES)
      isGoing = false
      expect([status, job.counts]).toMatchObject([202, { total: LINES, queued: LINES }])
      expect((await watched) - before).toBeLessThan(150 * KIBIBYTES_A_MEBIBYTE)
    } finally {
      await gateway.stop()
    }
  })
})
