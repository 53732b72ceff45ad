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
    onLine,
  } as const
  const read = async () => {
    for await (const item of itemsOf(path, faults, options)) expect(item).toBeUndefined()
  }
  await expect(read()).rejects.toThrow('lost')
  expect([lines, faults.all.length]).toEqual([1_000, 100])
})
