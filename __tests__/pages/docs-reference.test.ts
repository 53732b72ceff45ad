import { describe, expect, it } from 'vitest'
import { curlOf, fieldsIn, headersIn } from '../../app/(console)/docs/console/draft.ts'
import { rowsOf } from '../../app/(console)/docs/rows.ts'

describe('the table of a schema', () => {
  it('names nested fields by their whole path, of lists, maps and each of several forms', () => {
    const text = { type: 'string' }
    const rows = rowsOf({
      type: 'object',
      required: ['list'],
      properties: {
        list: { type: 'array', items: { type: 'object', properties: { a: text } } },
        map: { type: 'object', additionalProperties: { type: 'object', properties: { b: text } } },
        either: { anyOf: [text, { type: 'object', properties: { c: text } }, { type: 'null' }] },
      },
    })
    expect(rows.map(({ name, type }) => `${name}: ${type}`)).toEqual([
      'list: list of object',
      'list[].a: string',
      'map: object',
      'map.*.b: string',
      'either: string or object',
      'either.c: string',
    ])
    expect(rows.filter(({ isRequired }) => isRequired).map(({ name }) => name)).toEqual(['list'])
  })

  it('says limits and defaults in words, and leaves out null, which is the same as absence', () => {
    const [size, text] = rowsOf({
      properties: {
        size: { type: ['integer', 'null'], minimum: 1, maximum: 4096, default: 1000 },
        text: { enum: ['a', 'b', null], minLength: 1 },
      },
    })
    expect(size).toMatchObject({ type: 'integer', rules: '1 to 4,096. Default: `1000`.' })
    expect(text).toMatchObject({ type: 'a · b', rules: 'Not empty.' })
  })
})

describe('a request of the console', () => {
  const draft = {
    method: 'POST',
    path: '/api/chat',
    headers: 'content-type: application/json\nnot a header\nx-a:b',
    body: '{"prompt":"It’s a \'test\'"}',
    examples: [],
  }

  it('reads headers line by line', () => {
    expect(headersIn(draft.headers)).toEqual([
      ['content-type', 'application/json'],
      ['x-a', 'b'],
    ])
  })

  it('is a command whose quotes survive a shell, and that holds no key', () => {
    expect(curlOf(draft, 'http://g', true)).toBe(
      [
        "curl --no-buffer -X POST 'http://g/api/chat'",
        '-H "authorization: Bearer $PARLEY_API_KEY"',
        "-H 'content-type: application/json'",
        "-H 'x-a: b'",
        "-d '{\"prompt\":\"It’s a '\\''test'\\''\"}'",
      ].join(' \\\n  '),
    )
  })

  it('has the fields of a form, and none of a text that is no object', () => {
    expect(fieldsIn('{"name":"x","n":1}')).toEqual([
      ['name', 'x'],
      ['n', '1'],
    ])
    expect(fieldsIn('{')).toEqual([])
  })
})
