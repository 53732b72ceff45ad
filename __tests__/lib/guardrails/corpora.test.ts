import { describe, expect, it } from 'vitest'
import { readCorpora } from '../../../bench/guardrails/corpora.ts'
import { IDENTIFIERS, identifierTexts } from '../../../bench/guardrails/identifiers.ts'
import { identifierRows, injectionRows } from '../../../bench/guardrails/measure.ts'

describe('on the half that no rule was tuned on', () => {
  const rows = identifierRows(identifierTexts(1, 400), Object.keys(IDENTIFIERS), 'held-out')

  it.each(rows.map(row => [row.kind, row] as const))(
    '%s: recall at least 98 %%, precision at least 97 %%',
    (_, row) => {
      expect(row.present).toBeGreaterThan(150)
      expect(row.recall).toBeGreaterThanOrEqual(0.98)
      expect(row.precision).toBeGreaterThanOrEqual(0.97)
    },
  )

  it('injection rules raise no more false alarms than 1 % of harmless texts, and find half of the attacks', () => {
    const held = readCorpora()
      .flatMap(injectionRows)
      .filter(({ half }) => half === 'held-out')
    for (const { label, flagged } of held)
      if (label === 'harmless') expect(flagged).toBeLessThanOrEqual(0.01)
      else if (label === 'attack') expect(flagged).toBeGreaterThanOrEqual(0.5)
  })

  it('the default blocks no harmless text, not even one about prompts, rules and attacks', () => {
    const rows = readCorpora()
      .filter(({ label }) => label !== 'attack')
      .flatMap(injectionRows)
    expect(rows.map(({ label }) => label)).toContain('discussion')
    for (const { corpus, blocked } of rows) expect([corpus, blocked]).toEqual([corpus, 0])
  })

  it('each corpus is the one that its source, licence and digest describe', () => {
    const corpora = readCorpora()
    expect(corpora.map(({ name, licence }) => [name, licence])).toContainEqual([
      'agentdojo-injections',
      'MIT',
    ])
    for (const { lines, texts, version, licence } of corpora) {
      expect(lines).toHaveLength(texts)
      expect(version).toMatch(/^\d+\.\d+\.\d+$/)
      expect(['MIT', 'Apache-2.0']).toContain(licence)
    }
  })
})
