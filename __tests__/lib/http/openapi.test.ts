import { globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ERRORS } from '#lib/errors.ts'
import { apiDocument } from '#lib/http/openapi/document.ts'
import { convert } from '#lib/http/openapi/json-schema.ts'
import { optional, withDefault } from '#lib/validation/zod.ts'
import { operationsIn, Schemas } from '../../support/openapi.ts'

const APP = join(import.meta.dirname, '../../../app')
const chat = {
  maxPromptCharacters: 2_000,
  maxMessages: 7,
  maxMessagesCharacters: 50_000,
  maxOutputTokens: 4_096,
}
const document = apiDocument({
  version: '1.2.3',
  serverUrl: 'https://gateway.example',
  limits: { chat, item: chat, mostItems: 20 },
})
const operations = operationsIn(document)
const schemas = new Schemas(document)

/** Routes that answer 404 whatever the method. */
const UNKNOWN_URLS = ['/api/*', '/v1/*', '/v1/messages/*']

/** The path of a route's file, as a document writes it. A catch-all of names with slashes is one parameter. */
const pathOf = (file: string): string =>
  `/${dirname(file)}`.replaceAll(/\[\[\.\.\.\w+\]\]/g, '*').replaceAll(/\[(?:\.\.\.)?(\w+)\]/g, '{$1}')

describe('the API’s document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(JSON.parse(JSON.stringify(document)))
    expect(result).toMatchObject({ valid: true })
  })

  it('describes every route, and no path without one', () => {
    const routes = globSync('**/route.ts', { cwd: APP })
      .map(pathOf)
      .map(path => (path === '/v1/messages/{path}' ? '/v1/messages/*' : path))
      .filter(path => !UNKNOWN_URLS.includes(path))
    expect(Object.keys(document.paths).toSorted()).toEqual(routes.toSorted())
  })

  it('gives every operation an id of its own, a summary, one known section and an answer', () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    const tags = document.tags.map(({ name }) => name)
    for (const { path, operation } of operations) {
      expect(operation.summary, path).not.toBe('')
      expect(tags, path).toContain(operation.tags[0])
      expect(Object.keys(operation.responses), path).toContainEqual(expect.stringMatching(/^2/))
    }
  })

  it('declares each parameter of a path, and none that is not in it', () => {
    for (const { path, operation } of operations) {
      const inPath = (operation.parameters ?? []).filter(parameter => parameter.in === 'path')
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? [])
    }
  })

  it('has only references that lead somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)]
    expect(references.length).toBeGreaterThan(50)
    for (const [, reference = ''] of references)
      expect(
        reference
          .split('/')
          .reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], document),
        reference,
      ).toBeDefined()
  })

  it('names every error code that a client can receive', () => {
    const named = new Set(operations.flatMap(({ operation }) => operation['x-error-codes']))
    const others = ['METHOD_NOT_ALLOWED', 'CLIENT_GONE']
    expect(Object.keys(ERRORS).filter(code => !named.has(code as keyof typeof ERRORS))).toEqual(others)
  })

  const bodies = operations.flatMap(({ method, path, operation }) =>
    Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, { schema, examples = {} }]) =>
      Object.entries(examples).map(
        ([name, { value }]) => [method, path, name, { type, schema, value }] as const,
      ),
    ),
  )

  it.each(bodies.filter(([, , , { type }]) => type === 'application/json'))(
    'has a valid example of %s %s: %s',
    (_method, _path, _name, { schema, value }) => {
      expect(schemas.faultsOf(schema, value)).toEqual([])
    },
  )

  it('has valid examples of errors, in the form of each API', () => {
    const responses = Object.values(document.components.responses)
    expect(responses.length).toBeGreaterThan(15)
    for (const { content } of responses as {
      content: Record<string, { schema: object; examples: object }>
    }[])
      for (const { value } of Object.values(content['application/json']?.examples ?? {}))
        expect(schemas.faultsOf(content['application/json']?.schema, value)).toEqual([])
  })

  it('shows the configured limits, the version and the public address', () => {
    expect(document.components.schemas.ChatRequest).toMatchObject({
      properties: { messages: { maxItems: 7 }, maxTokens: { maximum: 4_096 } },
    })
    expect(document.components.schemas.JobRequest).toMatchObject({ properties: { items: { maxItems: 20 } } })
    expect(document.info.version).toBe('1.2.3')
    expect(document.servers).toEqual([{ url: 'https://gateway.example' }])
  })

  it('is at most 320 kB', () => {
    expect(JSON.stringify(document).length).toBeLessThanOrEqual(320_000)
  })
})

describe('a zod schema as JSON Schema', () => {
  it('takes null for what may be absent, as the validation does', () => {
    const schema = z.object({
      size: optional(z.enum(['s', 'm'])),
      all: optional(z.literal(true)),
      either: optional(z.union([z.string(), z.number()])),
      flag: withDefault(z.boolean(), true),
    })
    const none = { size: null, all: null, either: null, flag: null }
    expect(schema.safeParse(none).success).toBe(true)
    expect(schemas.faultsOf(convert(schema, 'request'), none)).toEqual([])
    expect(schemas.faultsOf(convert(schema, 'request'), { size: 'l' })).not.toEqual([])
  })

  it('requires exactly one of prompt and messages, as the validation does', () => {
    const messages = [{ role: 'user', content: 'Hi' }]
    const isValid = (body: object): boolean =>
      schemas.faultsOf({ $ref: '#/components/schemas/ChatRequest' }, body).length === 0
    expect([{ prompt: 'Hi' }, { messages }, { prompt: null, messages }].map(isValid)).toEqual([
      true,
      true,
      true,
    ])
    expect([{}, { prompt: 'Hi', messages }, { prompt: 'Hi', more: 1 }].map(isValid)).toEqual([
      false,
      false,
      false,
    ])
  })
})
