import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cleanName, kindOf, uniqueName } from '#lib/batch/intake/names.ts'

describe('a file’s name', () => {
  it.each([
    ['../../etc/passwd.txt', 'passwd.txt'],
    ['C:\\temp\\a.csv', 'a.csv'],
    ['a\r\nb\0.txt', 'ab.txt'],
    ['e\u0301.md', '\u00e9.md'],
    ['\u202egpj.txt', 'gpj.txt'],
    ['..', 'file.'],
    ['', 'file'],
    ['.txt', 'file.txt'],
  ])('%j is kept as %j', (sent, clean) => {
    expect(cleanName(sent)).toBe(clean)
  })

  it('never leads elsewhere, never holds a control character, and is of bounded length', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 300 })),
        sent => {
          const clean = cleanName(sent)
          expect(clean).not.toMatch(/[/\\\p{Cc}\p{Cs}]/u)
          expect(clean).not.toMatch(/^\./)
          expect([...clean].length).toBeGreaterThan(0)
          expect([...clean].length).toBeLessThanOrEqual(100)
          expect(clean).toBe(clean.normalize('NFC'))
        },
      ),
    )
  })

  it('is its own in an upload, whatever the case, and keeps its kind', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a.txt', 'A.txt', `${'b'.repeat(96)}.txt`)), sent => {
        const names: string[] = []
        for (const name of sent) names.push(uniqueName(name, names))
        expect(new Set(names.map(name => name.toLowerCase())).size).toBe(sent.length)
        for (const name of names) {
          expect(kindOf(name)).toBe('text')
          expect(name.length).toBeLessThanOrEqual(100)
        }
      }),
    )
  })
})
