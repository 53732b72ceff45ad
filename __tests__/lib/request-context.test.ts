import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Caller, callerOf, ownerOf } from '#lib/caller.ts'

const text = fc.string({ minLength: 1 })

/** One arbitrary for each kind there is: a kind that is added must be added here. */
const CALLERS: Readonly<Record<Caller['kind'], fc.Arbitrary<Caller>>> = {
  anonymous: fc.record({ kind: fc.constant('anonymous'), address: text.filter(it => it !== 'unknown') }),
  guest: fc.record({ kind: fc.constant('guest'), id: text, address: text }),
  key: fc.record({
    kind: fc.constant('key'),
    id: text,
    name: text,
    owner: fc.option(text, { nil: undefined }),
    role: fc.constantFrom('member', 'admin'),
    address: text,
  }),
}
const anyCaller = fc.oneof(...Object.values(CALLERS))

describe('an owner', () => {
  it('is read back as a caller of the same kind, with the same owner', () => {
    fc.assert(
      fc.property(anyCaller, caller => {
        const owner = ownerOf(caller) ?? ''
        expect(callerOf(owner).kind).toBe(caller.kind)
        expect(ownerOf(callerOf(owner))).toBe(owner)
      }),
    )
  })

  it('is another one for every two callers of different kinds', () => {
    fc.assert(
      fc.property(CALLERS.anonymous, CALLERS.guest, CALLERS.key, (...callers) => {
        expect(new Set(callers.map(ownerOf)).size).toBe(callers.length)
      }),
    )
  })

  it.each<[string, Caller]>([
    ['guest ada', { kind: 'guest', id: 'ada', address: 'unknown' }],
    ['guest Zm9v-_bar', { kind: 'guest', id: 'Zm9v-_bar', address: 'unknown' }],
    ['address 192.0.2.1', { kind: 'anonymous', address: '192.0.2.1' }],
    ['address 2001:db8:1:2::/64', { kind: 'anonymous', address: '2001:db8:1:2::/64' }],
  ])('of a stored row stays whose it was: %s', (owner, caller) => {
    expect(callerOf(owner)).toEqual(caller)
    expect(ownerOf(caller)).toBe(owner)
  })

  it.each(['member 17', 'key_1', 'guest', 'address ', '', 'unknown', ' address 192.0.2.1', '__proto__ x'])(
    'of a kind that is not known is not taken for an anonymous caller: “%s”',
    owner => {
      expect(() => callerOf(owner)).toThrow('unknown kind')
    },
  )

  it('of a caller of a kind that is not known is never made up', () => {
    const caller = { kind: 'member', id: '17', address: '192.0.2.1' } as unknown as Caller
    expect(() => ownerOf(caller)).toThrow('A caller of an unknown kind')
  })

  it('is unidentified where the address is not known', () => {
    expect(ownerOf({ kind: 'anonymous', address: 'unknown' })).toBeUndefined()
  })
})
