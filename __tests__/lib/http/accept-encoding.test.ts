import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { acceptedEncoding } from '#lib/http/accept-encoding.ts'

/** Source: RFC 9110, 12.5.3. */
describe('the encoding of a response', () => {
  it.each([
    ['br, gzip', 'br'],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, br', 'br'],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['*', 'br'],
    ['gzip;q=1.0, br;q=0.5', 'gzip'],
    ['br;q=0.001', 'br'],
    ['br;q=0, gzip', 'gzip'],
    ['br;q=0.000, gzip;q=0.000', undefined],
    ['br;q=0, *', 'gzip'],
    ['*;q=0, gzip', 'gzip'],
    ['*;q=0', undefined],
    ['identity', undefined],
    ['identity;q=1, gzip;q=0.5', undefined],
    ['identity;q=0.5, gzip;q=1.0', 'gzip'],
    ['identity;q=0, gzip;q=0.1', 'gzip'],
    ['identity;q=0', undefined],
    ['deflate, zstd', undefined],
    ['brotli, gzipped, brx', undefined],
    ['  gzip ; q=0.5 ,\tbr ; q=0.4', 'gzip'],
    ['br;q=none, gzip', 'gzip'],
    [',,gzip,,', 'gzip'],
    ['', undefined],
    [undefined, undefined],
    [null, undefined],
  ])('for %j is %s', (header, encoding) => {
    expect(acceptedEncoding(header)).toBe(encoding)
  })

  it('is never one that the header refuses, whatever else it says', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('br', 'gzip'), (noise, refused) => {
        const header = `${noise.replaceAll(/["\\]/g, '')}, br;q=0, gzip;q=0, ${refused};q=0`
        fc.pre(!/br|gzip|\*/i.test(noise))
        expect(acceptedEncoding(header)).toBeUndefined()
      }),
    )
  })
})
