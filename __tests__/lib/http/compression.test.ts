import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { compressText, encodingFor } from '#lib/http/server/compression.ts'
import { isCompressible } from '#lib/native/server.ts'

const megabyte = () =>
  Array.from({ length: 20_000 }, () => `${Math.random()} some words of an answer\n`).join('')

describe('compression', () => {
  it('is for bodies above 1,000 bytes, however many characters they have', () => {
    expect([isCompressible('x'.repeat(1_000)), isCompressible('x'.repeat(1_001))]).toEqual([false, true])
    expect([isCompressible('🎉'.repeat(250)), isCompressible('🎉'.repeat(251))]).toEqual([false, true])
  })

  it.each([
    ['of a GET', {}, '', 'br'],
    ['of a HEAD', { method: 'HEAD' }, '', undefined],
    ['of a response that says no-transform', {}, 'no-store, no-transform', undefined],
    ['for a request that says no-transform', { cache: 'no-cache, No-Transform' }, '', undefined],
  ] as const)(
    '%s',
    (_, { method = 'GET', cache = '' }: { method?: string; cache?: string }, of, encoding) => {
      const headers = { 'accept-encoding': 'gzip, br', 'cache-control': cache }
      expect(encodingFor({ method, headers }, of)).toBe(encoding)
    },
  )

  it('of up to 34 long texts at once, two of them in progress; those beyond are sent as they are', async () => {
    const text = megabyte().slice(0, 100_000)
    // The two in progress take longer than the others need to ask.
    const long = megabyte().repeat(8)
    const texts = [long, long, ...Array.from({ length: 38 }, () => text)]
    const found = await Promise.all(texts.map(one => compressText(one, 'gzip')))
    expect(found.filter(bytes => bytes !== undefined)).toHaveLength(34)
    for (const [at, bytes] of found.entries())
      if (bytes) expect(gunzipSync(bytes).toString() === texts[at]).toBe(true)
    expect(await compressText(text, 'gzip')).toBeDefined()
  })

  it('never holds the event loop for 50 ms, of long and of many short texts', async () => {
    const long = megabyte()
    const short = long.slice(0, 16_000)
    const texts = [...Array.from({ length: 16 }, () => long), ...Array.from({ length: 500 }, () => short)]
    const spent = () => process.threadCpuUsage().user / 1_000
    let latest = spent()
    let longest = 0
    const timer = setInterval(() => {
      longest = Math.max(longest, spent() - latest)
      latest = spent()
    }, 1)
    const found = await Promise.all(texts.map(text => compressText(text, 'br')))
    clearInterval(timer)
    expect(longest).toBeLessThanOrEqual(50)
    expect(brotliDecompressSync(found.at(-1) ?? Buffer.of()).toString() === short).toBe(true)
  })
})
