import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEncodedJson, readJson, readJsonOrNothing, readJsonText, readText } from '#lib/http/body.ts'
import { gateBody } from '#lib/http/body-gate.ts'

const MAX_BYTES = 1_000_000

const read = (body: string): Promise<unknown> =>
  readJson(
    new Request('http://gateway/', { method: 'POST', headers: { 'content-type': 'application/json' }, body }),
    MAX_BYTES,
  )

const READERS = { readJson, readJsonText, readJsonOrNothing, readEncodedJson }

const harmless = fc.jsonValue().filter(value => !JSON.stringify(value).includes('__proto__'))

describe('a JSON body', () => {
  it('is read as it was meant, whatever quotes, colons and backslashes its strings hold', async () => {
    await fc.assert(
      fc.asyncProperty(harmless, fc.constantFrom(0, 2), async (value, indent) => {
        expect(await read(JSON.stringify(value, null, indent))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('is refused when an object names a field twice, however deep', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), harmless, fc.nat(20), async (name, value, depth) => {
        fc.pre(name !== '__proto__')
        const field = `${JSON.stringify(name)}:${JSON.stringify(value)}`
        const body = `${'[{"in":'.repeat(depth)}{${field},${field}}${'}]'.repeat(depth)}`
        await expect(read(body)).rejects.toMatchObject({ code: 'INVALID_INPUT', message: /twice/ })
      }),
    )
  })

  it.each([
    ...Object.entries(READERS).map(([name, reader]) => [name, '{"a":1}', reader] as const),
    ['readJsonOrNothing of no body', '', readJsonOrNothing] as const,
  ])('is not used before the gate of the request has seen its fingerprint: %s', async (_, body, reader) => {
    const headers = { 'content-type': 'application/json' }
    const request = new Request('http://gateway/', { method: 'POST', headers, body })
    const seen: string[] = []
    gateBody(request, async fingerprint => {
      seen.push(fingerprint)
      throw new Error('refused by the gate')
    })
    await expect(reader(request, MAX_BYTES)).rejects.toThrow('refused by the gate')
    expect(seen).toEqual([expect.stringMatching(/^[\da-f]{64}$/)])
  })
})

describe('a body of the API that is not JSON', () => {
  const text = (headers: Record<string, string>, body: BodyInit = '{"input":"a"}\n') =>
    readText(new Request('http://gateway/', { method: 'POST', headers, body }), MAX_BYTES)

  it.each([
    ['compressed', { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' }],
    ['compressed, in other letters', { 'content-type': 'text/plain', 'content-encoding': ' GZIP' }],
    ['in another charset', { 'content-type': 'text/plain; charset="iso-8859-1"' }],
  ])('is refused as its kind where it is %s', async (_, headers) => {
    const body = gzipSync('{"input":"a"}\n')
    await expect(text(headers, body)).rejects.toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' })
  })

  it.each(['identity', 'Identity', ''])('is read with content-encoding: %s', async encoding => {
    const headers = {
      'content-type': 'text/plain; format=flowed; Charset=UTF8',
      'content-encoding': encoding,
    }
    expect(await text(headers)).toBe('{"input":"a"}\n')
  })
})
