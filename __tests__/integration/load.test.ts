import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { events, post, textOf } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { says } from '../support/upstream-behaviour.ts'

const STREAMS = 1_000
const PIECES = Array.from({ length: 25 }, (_, index) => `piece ${index} `)
const KIBIBYTES_A_MEBIBYTE = 1024

const residentKibibytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

describe.runIf(process.platform === 'linux')('a thousand streams at once', () => {
  it('all come to their end whole, and leave no call open and no memory behind', {
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
      await sleep(1_000)
      expect(upstream.open).toEqual([])
      expect(upstream.calls).toHaveLength(2 * STREAMS)
      expect(residentKibibytes(gateway.pid) - before).toBeLessThan(50 * KIBIBYTES_A_MEBIBYTE)
    } finally {
      await gateway.stop()
      await upstream.stop()
    }
  })
})
