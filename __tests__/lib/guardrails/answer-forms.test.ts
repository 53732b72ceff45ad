import { describe, expect, it } from 'vitest'
import { assertRewritable } from '#lib/guardrails/output/answer-forms.ts'
import { membersOf } from '#lib/raw-json.ts'
import { newCall } from '../../support/calls.ts'

const chatCall = (body: object) => {
  const json = JSON.stringify(body)
  return newCall({ raw: { format: 'openai-chat', json, members: membersOf(json) } })
}

describe('a call whose answer is rewritten', () => {
  it('asks for one answer', () => {
    expect(() => assertRewritable(newCall({ parameters: { choices: 1 } }))).not.toThrow()
    expect(() => assertRewritable(newCall({ parameters: { choices: 2 } }))).toThrow('Only one answer')
  })

  it('has tools, and none of the older functions, whose calls would be lost', () => {
    expect(() => assertRewritable(chatCall({ tools: [], functions: null }))).not.toThrow()
    expect(() => assertRewritable(chatCall({ functions: [{ name: 'f' }] }))).toThrow('use tools')
  })
})
