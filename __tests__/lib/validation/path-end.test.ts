import { describe, expect, it } from 'vitest'
import { pathEnd } from '#lib/validation/path-end.ts'

const end = (path: string) => pathEnd({ url: `http://gateway${path}` }, '/v1/models/')

describe('the end of a path', () => {
  it.each([
    ['/v1/models/gpt-4o', 'gpt-4o'],
    ['/v1/models/openai/gpt-4o?a=b', 'openai/gpt-4o'],
    ['/v1/models/openai%2Fgpt-4o', 'openai/gpt-4o'],
    ['/v1/models/job=1:a+b', 'job=1:a+b'],
    ['/v1/models/job%3D1%3Aa%2Bb', 'job=1:a+b'],
    ['/v1/models/gr%C3%BCn', 'grün'],
  ])('of %s is %s', (path, expected) => {
    expect(end(path)).toBe(expected)
  })

  it('is decoded once, so that an encoded per cent sign stays one', () => {
    expect(end('/v1/models/100%25')).toBe('100%')
    expect(end('/v1/models/a%2541')).toBe('a%41')
  })

  it.each(['/v1/models/%zz', '/v1/models/100%', '/v1/models/%E0%A4%A'])('refuses %s', path => {
    expect(() => end(path)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }))
  })
})
