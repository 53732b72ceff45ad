import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formFingerprint, jsonFingerprint } from '#lib/idempotency/fingerprint.ts'

const of = (text: string): Promise<string> => jsonFingerprint(Buffer.from(text))

describe('the fingerprint of a JSON body', () => {
  it.each([
    ['{"a":1,"b":[true,null]}', ' {\n "b" : [ true , null ], "a":1 } '],
    ['{"a":"ü/"}', '{"a":"\\u00fc\\/"}'],
    ['{"a":{"y":1,"x":2}}', '{"a":{"x":2,"y":1}}'],
  ])('is the same for %s and %s', async (one, other) => {
    expect(await of(one)).toBe(await of(other))
  })

  it.each([
    ['{"id":9007199254740993}', '{"id":9007199254740992}'],
    ['[1,2]', '[2,1]'],
    ['{"a":"1"}', '{"a":1}'],
    ['{"a":null}', '{}'],
    ['{"a":"b\\",\\"c"}', '{"a":"b","c":""}'],
    ['{"a":', '{"a": '],
  ])('differs for %s and %s', async (one, other) => {
    expect(await of(one)).not.toBe(await of(other))
  })

  it('is that of the bytes beyond 128 kB, and where arrays are nested very deep', async () => {
    const long = `"${'x'.repeat(131_072)}"`
    expect(await of(`{"a":${long}}`)).not.toBe(await of(`{ "a":${long}}`))
    const deep = '['.repeat(60_000) + ']'.repeat(60_000)
    expect(await of(deep)).toBe(await of(deep))
  })

  it('is the same for any value with other indentation, and differs for another value', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), fc.json(), async (one, other) => {
        const indented = (text: string) => JSON.stringify(JSON.parse(text), null, 2)
        expect(await of(indented(one))).toBe(await of(JSON.stringify(JSON.parse(one))))
        const same = JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(other))
        if (!same && typeof JSON.parse(one) !== 'object') expect(await of(one)).not.toBe(await of(other))
      }),
    )
  })
})

describe('the fingerprint of a form', () => {
  const directory = mkdtempSync(join(tmpdir(), 'parley-fingerprint-'))
  const file = (content: string, fileName = 'a.txt') => {
    const path = join(directory, crypto.randomUUID())
    writeFileSync(path, content)
    return { name: 'file', fileName, path }
  }

  it('depends on names, values, file names and contents, and not on where the files are', async () => {
    const field = { name: 'model', value: 'x' }
    const first = await formFingerprint([field, file('one')])
    expect(await formFingerprint([field, file('one')])).toBe(first)
    for (const parts of [
      [file('one')],
      [field, file('two')],
      [field, file('one', 'b.txt')],
      [{ name: 'model', value: 'y' }, file('one')],
      [file('one'), field],
    ])
      expect(await formFingerprint(parts)).not.toBe(first)
  })
})
