import { describe, expect, it } from 'vitest'
import { oneModel } from '#lib/http/dialects/openai-models.ts'
import { Catalog } from '#lib/llm/catalog.ts'
import { anthropic } from '#lib/llm/providers/anthropic/anthropic.ts'
import { openai } from '#lib/llm/providers/openai.ts'

const catalog = new Catalog(
  [openai, anthropic].map(({ id, models, modelNames }) => ({
    provider: id,
    available: id === 'openai',
    models,
    ...(modelNames && { modelNames }),
    setupHint: 'set its key',
  })),
)
const aliases = new Set(['fast'])
const lookup = {
  catalog,
  aliases,
  modelNamed: (name: string) => (aliases.has(name) ? name : catalog.nameByVendor(name)),
}
const read = (name: string, mayUse = (_: string) => true) => oneModel(name, lookup, mayUse)

describe('one model', () => {
  it.each([
    ['gpt-4o', 'openai'],
    ['gpt-4o-2024-08-06', 'openai'],
    ['openai/gpt-4o', 'openai'],
    ['openai/gpt-99', 'openai'],
    ['fast', 'alias'],
  ])('is read by any name by which it can be called, and has that name: %s', (name, owner) => {
    expect(read(name)).toMatchObject({ id: name, owned_by: owner, object: 'model', type: 'model' })
  })

  it('has the context window of the model that it is a snapshot of', () => {
    expect(read('gpt-4o-2024-08-06')).toMatchObject({ context_window: 128_000 })
    expect(read('openai/gpt-99')).not.toHaveProperty('context_window')
  })

  it.each(['llama', 'claude-sonnet-4-5', 'claude-sonnet-4-5-20250929', 'openai/', 'constructor'])(
    'is not found where it cannot be called, by the name that was sent: %s',
    name => {
      expect(() => read(name)).toThrow(`There is no model “${name}”.`)
    },
  )

  it('is not found by a caller who may not call it', () => {
    const mayUse = (name: string) => name === 'gpt-4o'
    expect(read('gpt-4o', mayUse)).toMatchObject({ id: 'gpt-4o' })
    expect(() => read('gpt-4o-mini', mayUse)).toThrow('There is no model “gpt-4o-mini”.')
  })
})
