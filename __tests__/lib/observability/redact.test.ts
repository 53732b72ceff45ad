import { describe, expect, it } from 'vitest'
import { redactor } from '#lib/observability/redact.ts'
import { WRITTEN } from '../../support/canaries.ts'

/** A secret with characters that JSON, URLs and base64 write in another way. */
const SECRET = 'own/key+with=all~of"the&odd\\ones'

describe('the redactor', () => {
  const redact = redactor([SECRET, 'short'])

  it.each(Object.entries(WRITTEN))('masks a secret that is written as %s', (_, write) => {
    const clean = redact(`before ${write(SECRET)} after`)
    expect(clean).toContain('***')
    expect(clean).toMatch(/^before .*after$/)
    for (const part of ['own/key', 'odd', Buffer.from('odd').toString('hex')])
      expect(clean.toLowerCase()).not.toContain(part)
    // Of base64, at most the group at either end remains, in which other bytes are too.
    expect(clean.length).toBeLessThan('before  after'.length + 40)
  })

  it('masks it as it is and in JSON where encodings are not looked for', () => {
    for (const text of [SECRET, JSON.stringify({ SECRET })])
      expect(redact.unencoded(text)).not.toContain('odd')
  })

  it('leaves all else as it is, and secrets of fewer than 6 characters', () => {
    for (const text of ['a short text', 'f383a3d5-058c-4d88-b8e6-1330836ca8c6', '{"model":"gpt-4o"}', ''])
      expect(redact(text)).toBe(text)
  })
})
