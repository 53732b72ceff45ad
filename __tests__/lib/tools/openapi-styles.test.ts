import { describe, expect, it } from 'vitest'
import { openApiOperation } from '#lib/tools/http/openapi.ts'
import { requestOf } from '#lib/tools/http/request.ts'

type Parameter = Readonly<{ name: string; in: string; [member: string]: unknown }>

const withSchema = (one: Parameter) => ('content' in one ? one : { schema: {}, ...one })

const operationWith = (path: string, parameters: readonly Parameter[]) =>
  openApiOperation(
    {
      servers: [{ url: 'https://api.example.com?v=1' }],
      paths: { [path]: { get: { operationId: 'find', parameters: parameters.map(withSchema) } } },
    },
    'find',
    'https://api.example.com',
  )

const sent = (path: string, parameters: readonly Parameter[], input: Record<string, unknown>) =>
  requestOf(operationWith(path, parameters), input, {})

const COLOURS = ['blue', 'a,b']
const OBJECT = { R: 100, g: 'x y' }

describe('the arguments of an OpenAPI operation', () => {
  it('are written in the styles of their parameters', () => {
    const { url } = sent(
      '/things/{ids}',
      [
        { name: 'ids', in: 'path' },
        { name: 'tags', in: 'query', explode: false },
        { name: 'pipes', in: 'query', style: 'pipeDelimited' },
        { name: 'filter', in: 'query', style: 'deepObject', explode: true },
        { name: 'page', in: 'query' },
        { name: 'word', in: 'query' },
      ],
      {
        ids: [1, 2],
        tags: ['a', 'b'],
        pipes: ['x', 'y'],
        filter: { a: 1 },
        page: { limit: 5 },
        word: 'x&y=z #ü',
      },
    )
    expect(url.href).toBe(
      'https://api.example.com/things/1,2?tags=a,b&pipes=x|y&filter[a]=1&limit=5&word=x%26y%3Dz%20%23%C3%BC',
    )
  })

  it.each([
    ['simple', false, 'blue,a%2Cb', 'R,100,g,x%20y', 'one'],
    ['simple', true, 'blue,a%2Cb', 'R=100,g=x%20y', 'one'],
    ['label', false, '.blue,a%2Cb', '.R,100,g,x%20y', '.one'],
    ['label', true, '.blue.a%2Cb', '.R=100.g=x%20y', '.one'],
    ['matrix', false, ';c=blue,a%2Cb', ';c=R,100,g,x%20y', ';c=one'],
    ['matrix', true, ';c=blue;c=a%2Cb', ';R=100;g=x%20y', ';c=one'],
  ])('stand in a path as %s (explode: %s)', (style, explode, list, object, text) => {
    const written = [COLOURS, OBJECT, 'one'].map(
      c => sent('/x/{c}', [{ name: 'c', in: 'path', style, explode }], { c }).url.pathname,
    )
    expect(written).toEqual([`/x/${list}`, `/x/${object}`, `/x/${text}`])
  })

  it.each([
    ['form', false, '?c=blue,a%2Cb', '?c=R,100,g,x%20y', ''],
    ['form', true, '?c=blue&c=a%2Cb', '?R=100&g=x%20y', ''],
    ['spaceDelimited', false, '?c=blue%20a%2Cb', '?c=R%20100%20g%20x%20y', ''],
    ['pipeDelimited', false, '?c=blue|a%2Cb', '?c=R|100|g|x%20y', ''],
    ['deepObject', true, '?c=blue&c=a%2Cb', '?c[R]=100&c[g]=x%20y', ''],
  ])('stand in a query as %s (explode: %s)', (style, explode, list, object, empty) => {
    const written = [COLOURS, OBJECT, []].map(
      c => sent('/x', [{ name: 'c', in: 'query', style, explode }], { c }).url.search,
    )
    expect(written).toEqual([list, object, empty])
  })

  it('stand in a header as a list, and as JSON where the parameter has a content', () => {
    const { url, headers } = sent(
      '/x',
      [
        { name: 'X-Ids', in: 'header' },
        { name: 'X-Map', in: 'header', explode: true },
        { name: 'q', in: 'query', content: { 'application/json': { schema: { type: 'object' } } } },
      ],
      { 'X-Ids': [1, 2], 'X-Map': { a: 1, b: 'c\r\nd' }, q: { a: [1] } },
    )
    expect(headers).toEqual({ 'x-ids': '1,2', 'x-map': 'a=1,b=c  d' })
    expect(url.search).toBe('?q=%7B%22a%22%3A%5B1%5D%7D')
  })

  it.each([[[]], [['..']], [['.']], [['']]])('do not leave their path: %j', c => {
    expect(() => sent('/x/{c}', [{ name: 'c', in: 'path' }], { c })).toThrow(/must not be empty or dots/)
  })

  it.each<[Parameter, RegExp]>([
    [{ name: 'c', in: 'path', style: 'form' }, /style form, which is not supported in a path/],
    [{ name: 'c', in: 'query', style: 'tree' }, /style tree/],
    [{ name: 'c', in: 'query', content: { 'text/xml': {} } }, /another type than application\/json/],
  ])('are a fault of the document in a style or type that is not known: %j', (parameter, message) => {
    expect(() => operationWith('/x/{c}', [parameter])).toThrow(message)
  })
})
