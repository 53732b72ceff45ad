import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorPath, anchorText, parseAnchor, readAnchor, writeAnchor } from '#lib/audit/anchor-file.ts'

const anchor = { sequence: 12, hash: 'ab'.repeat(32) }

describe('the anchor beside the database', () => {
  it('is replaced as a whole, for its owner alone, and read back', () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'parley-anchor-'))
    expect(readAnchor(dataDir)).toBeUndefined()
    writeAnchor(dataDir, { ...anchor, sequence: 11 })
    writeAnchor(dataDir, anchor)
    expect(readAnchor(dataDir)).toEqual(anchor)
    expect(statSync(anchorPath(dataDir)).mode & 0o777).toBe(0o600)
    expect(readFileSync(anchorPath(dataDir), 'utf8')).toBe(`${anchorText(anchor)}\n`)
  })

  it('is reported where it is damaged, never taken for absent', () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'parley-anchor-'))
    writeFileSync(anchorPath(dataDir), '12:zz')
    expect(() => readAnchor(dataDir)).toThrow('is damaged')
    expect(parseAnchor('x')).toBeUndefined()
  })
})
