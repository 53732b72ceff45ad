import { describe, expect, it } from 'vitest'
import { fallbacksInScope, type ModelScopeDeps } from '#lib/auth/models.ts'
import type { Target } from '#lib/llm/types.ts'
import { batches, newCall, replyOf } from '../../support/calls.ts'

const target = (name: string): Target => ({ provider: 'p', model: name, name })
const TARGETS = ['a', 'b', 'c', 'd'].map(target)
const [A, B] = TARGETS as [Target, Target]

/** `team` is an alias of a and b. */
const deps: ModelScopeDeps = {
  targetOf: name => TARGETS.find(one => one.name === name),
  targetsOfAlias: name => (name === 'team' ? [A, B] : undefined),
}

const plannedFor = async (
  models: readonly string[] | undefined,
  model: string,
  plan: readonly Target[] = TARGETS,
) => {
  let planned: readonly string[] = []
  const caller = {
    kind: 'key',
    id: 'k',
    name: 'k',
    role: 'member',
    scopes: { models },
    address: '192.0.2.1',
  } as const
  await fallbacksInScope(deps)(newCall({ caller, model, plan }), async call => {
    planned = call.plan.map(({ name }) => name)
    return replyOf(batches())
  })
  return planned
}

describe('the targets of a call whose key is restricted to models', () => {
  it.each([
    ['a model itself', ['a'], 'a', ['a']],
    ['a model with the fallbacks that are in scope', ['a', 'p/c'], 'a', ['a', 'c']],
    ['those that are listed for an alias, without their fallbacks', ['team'], 'team', ['a', 'b']],
    ['those of an alias that a pattern includes', ['te*'], 'team', ['a', 'b']],
    ['those of an alias with the fallbacks that are in scope', ['team', 'd'], 'team', ['a', 'b', 'd']],
    ['all where everything is in scope', ['*'], 'team', ['a', 'b', 'c', 'd']],
    ['all of a key without such a restriction', undefined, 'team', ['a', 'b', 'c', 'd']],
  ])('are %s', async (_, models, model, expected) => {
    expect(await plannedFor(models, model)).toEqual(expected)
  })

  it('are never those out of scope: where no other is left, the call is FORBIDDEN', async () => {
    const others = TARGETS.slice(2)
    await expect(plannedFor(['team'], 'team', others)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(plannedFor(['a'], 'a', others)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(plannedFor([], 'unknown', others)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(plannedFor(['a'], 'a', [])).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})
