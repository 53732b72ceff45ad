import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { itemsOf, LineFaults } from '#lib/batch/v1/input.ts'

it('the lease of a validation can be renewed at each of 1,000 faulty lines, none of which is an item', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'parley-input-')), 'requests.jsonl')
  writeFileSync(path, '{"custom_id":7}\n'.repeat(1_000))
  const faults = new LineFaults()
  let lines = 0
  const onLine = async () => {
    lines += 1
    if (lines === 1_000) throw new Error('lost')
  }
  const options = {
    endpoint: '/v1/embeddings',
    mostItems: 2_000,
    maxBytes: 1_000,
    modelFault: () => undefined,
    defaultModelOf: () => undefined,
    onLine,
  } as const
  const read = async () => {
    for await (const item of itemsOf(path, faults, options)) expect(item).toBeUndefined()
  }
  await expect(read()).rejects.toThrow('lost')
  expect([lines, faults.all.length]).toEqual([1_000, 100])
})

it.each([
  ['/v1/moderations', 'omni-moderation-latest', []],
  ['/v1/embeddings', undefined, ['body.model', 'body.model']],
] as const)(
  'a request to %s that names no model, or null, has its default: %s',
  async (endpoint, usual, faulty) => {
    const path = join(mkdtempSync(join(tmpdir(), 'parley-input-')), 'requests.jsonl')
    const bodies = [{ input: 'x' }, { input: 'x', model: null }]
    const lines = bodies.map((body, index) => ({
      custom_id: `${index}`,
      method: 'POST',
      url: endpoint,
      body,
    }))
    writeFileSync(path, lines.map(line => JSON.stringify(line)).join('\n'))
    const faults = new LineFaults()
    const checked: string[] = []
    const modelFault = (model: string) => {
      checked.push(model)
      return undefined
    }
    const options = { endpoint, mostItems: 9, maxBytes: 1_000, modelFault, defaultModelOf: () => usual }
    const models: string[] = []
    for await (const { request } of itemsOf(path, faults, options)) models.push(request.model)
    expect(models).toEqual(usual === undefined ? [] : [usual, usual])
    expect(checked).toEqual(usual === undefined ? [] : [usual])
    expect(faults.all.map(({ param }) => param)).toEqual(faulty)
  },
)
