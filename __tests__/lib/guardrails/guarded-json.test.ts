import { describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { guardedJson } from '#lib/guardrails/guarded-json.ts'
import type { Judge } from '#lib/guardrails/judges/types.ts'
import { type GuardrailSettings, profileOf } from '#lib/guardrails/profile.ts'
import type { Action, PlacedText } from '#lib/guardrails/types.ts'
import { newCall } from '../../support/calls.ts'
import { guardrailDeps } from '../../support/guardrails.ts'

const CARD = '4111111111111111'

const redacts = (action: Action = 'redact'): GuardrailSettings => ({
  sensitiveData: { input: action, output: action },
})

const guarded = (json: string, settings: GuardrailSettings = redacts(), judge?: Judge) => {
  const profile = profileOf(settings)
  return guardedJson(
    json,
    { place: 'tool-result', guard: profile.input, request: newCall(), profile },
    { ...guardrailDeps(systemClock, settings), judgeOf: () => judge },
  )
}

/** Finds 731 in what it is asked. */
const judgeThat = (action: Action) => {
  const asked: string[] = []
  const found = ({ text }: PlacedText) =>
    [...text.matchAll(/731/g)].map(({ index }) => ({
      rail: 'check',
      kind: 'secret',
      rule: 'secret',
      score: 1,
      start: index,
      end: index + 3,
    }))
  const judge: Judge = {
    name: 'check',
    places: ['tool-result'],
    failMode: 'closed',
    action,
    version: '1',
    judge: async texts => {
      asked.push(...texts.map(({ text }) => text))
      return { state: 'complete', verdicts: texts.map(found) }
    },
  }
  return { judge, asked }
}

describe('JSON of a tool', () => {
  it.each([
    [`{"card":${CARD}}`, '{"card":"[CARD]"}'],
    [
      `{ "cards": [1, ${CARD}, -2.5e3 ], "x": ${CARD} }`,
      '{ "cards": [1, "[CARD]", -2.5e3 ], "x": "[CARD]" }',
    ],
    ['{"card":4.111111111111111e15}', '{"card":"[CARD]"}'],
    [`{"card":${CARD}.0}`, '{"card":"[CARD]"}'],
    [CARD, '"[CARD]"'],
    [`{"${CARD.slice(0, 9)}":1,"text":"${CARD}"}`, `{"${CARD.slice(0, 9)}":1,"text":"[CARD]"}`],
  ])('has a placeholder in place of a number that is found: %s', async (json, expected) => {
    expect(await guarded(json)).toEqual({ json: expected })
  })

  it('stays as it is written where nothing is found', async () => {
    const json =
      '{ "at":1732838400000, "place":[52.52000000000001,-13.4], "n\\u0061me":"\\u0041nn", "none":null }'
    expect(await guarded(json)).toEqual({ json })
  })

  it.each(['redact', 'block'] as const)('is withheld where a name is found (%s)', async action => {
    expect(await guarded('{"a":[{"bob@example.com":1}]}', redacts(action))).toEqual({
      withheldBy: 'sensitive-data',
    })
  })

  it('is withheld where a number is blocked, and passes where it is flagged', async () => {
    expect(await guarded(`[${CARD}]`, redacts('block'))).toEqual({ withheldBy: 'sensitive-data' })
    expect(await guarded(`[${CARD}]`, redacts('flag'))).toEqual({ json: `[${CARD}]` })
  })

  it('has its names and long numbers rated by judges as one text, each replaced or withheld by itself', async () => {
    const { judge, asked } = judgeThat('redact')
    const settings = { judges: [judge] }
    expect(await guarded('{"a":99731999,"b":["731",42,123456]}', settings, judge)).toEqual({
      json: '{"a":"99[SECRET]999","b":["[SECRET]",42,123456]}',
    })
    expect(asked).toEqual(['731', '99731999\n123456\na\nb'])
    expect(await guarded('{"x":{"k731":1}}', settings, judge)).toEqual({ withheldBy: 'check' })
  })
})
