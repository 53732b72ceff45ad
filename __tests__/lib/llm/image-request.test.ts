import { describe, expect, it } from 'vitest'
import { openai } from '#lib/llm/providers/openai.ts'
import { adaptedImageRequest } from '#lib/llm/providers/shared/image-request.ts'
import { membersOf } from '#lib/raw-json.ts'

const optionsOf = (model: string) => {
  const options = openai.models.find(({ id }) => id === model)?.image
  if (!options) throw new Error(`${model} makes no images`)
  return options
}

const adapted = (model: string, body: object, quality?: string) => {
  const target = { provider: 'openai', model, name: model, ...(quality !== undefined && { quality }) }
  const { members, omitted } = adaptedImageRequest(membersOf(JSON.stringify(body)), target, optionsOf(model))
  return { body: Object.fromEntries(members.map(([name, value]) => [name, JSON.parse(value)])), omitted }
}

describe('a request for images for another model', () => {
  it.each([
    ['dall-e-2', '1792x1024', '1024x1024'],
    ['dall-e-2', '512x512', '512x512'],
    ['dall-e-3', '256x256', '1024x1024'],
    ['dall-e-3', '1536x1024', '1792x1024'],
    ['dall-e-3', '1024x1536', '1024x1792'],
    ['gpt-image-1', '1024x1792', '1024x1536'],
    ['dall-e-3', 'auto', '1024x1024'],
  ])('asks %s for %s in a size of its own, of the same shape: %s', (model, size, own) => {
    expect(adapted(model, { prompt: 'a', size }).body).toEqual({ prompt: 'a', size: own })
  })

  it('leaves out what the model does not take, and names it', () => {
    const body = { prompt: 'a', quality: 'hd', style: 'vivid', background: 'transparent', x_vendor: 1 }
    expect(adapted('dall-e-2', body)).toEqual({
      body: { prompt: 'a', x_vendor: 1 },
      omitted: ['quality', 'style', 'background'],
    })
    expect(adapted('gpt-image-1', { prompt: 'a', quality: 'hd', response_format: 'url' })).toEqual({
      body: { prompt: 'a' },
      omitted: ['quality', 'response_format'],
    })
  })

  it('takes null for absent: neither names it, nor adapts it', () => {
    const body = { prompt: 'a', size: null, quality: null, style: null, n: null }
    expect(adapted('dall-e-2', body)).toEqual({ body: { prompt: 'a' }, omitted: [] })
  })

  it('has the quality that the chain names, in the place of the client’s', () => {
    expect(adapted('dall-e-3', { quality: 'hd', prompt: 'a' }, 'standard').body).toEqual({
      quality: 'standard',
      prompt: 'a',
    })
    expect(adapted('dall-e-3', { prompt: 'a' }, 'hd').body).toEqual({ prompt: 'a', quality: 'hd' })
  })

  it('asks for no more images than the model makes', () => {
    expect(adapted('dall-e-3', { prompt: 'a', n: 4 }).body).toEqual({ prompt: 'a', n: 1 })
  })
})
