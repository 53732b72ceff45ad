import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { atOnce } from '#lib/loop-turns.ts'
import {
  countElements,
  elementsOf,
  membersOf,
  objectOf,
  withInnerMember,
  withMember,
  withoutMember,
} from '#lib/raw-json.ts'

const spaced = (value: unknown, indent: string) => JSON.stringify(value, undefined, indent)
const indents = fc.constantFrom('', ' ', '\t', '\r\n ')

describe('the members of an object’s text', () => {
  it('are those that JSON.parse finds, in order, in any white space', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), indents, (object, indent) => {
        const members = membersOf(spaced(object, indent))
        expect(members.map(([name]) => name)).toEqual(Object.keys(JSON.parse(JSON.stringify(object))))
        expect(JSON.parse(objectOf(members))).toEqual(JSON.parse(JSON.stringify(object)))
      }),
    )
  })

  it('keep numbers, escapes and inner white space as they were written', () => {
    const members = membersOf('{ "a" : 1.0 , "b":[1e400, 9007199254740993],\n"c": "\\u00e9\\"}" ,"d":{ } }')
    expect(members).toEqual([
      ['a', '1.0'],
      ['b', '[1e400, 9007199254740993]'],
      ['c', '"\\u00e9\\"}"'],
      ['d', '{ }'],
    ])
  })
})

describe('an object’s text without a member', () => {
  it('is otherwise the same, in any white space', () => {
    const names = fc.constantFrom('a', 'usage', 'b', 'c')
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue()), indents, (object, indent) => {
        const { usage: _, ...others } = JSON.parse(JSON.stringify(object))
        expect(JSON.parse(withoutMember(spaced(object, indent), 'usage'))).toEqual(others)
      }),
    )
  })

  it.each([
    ['{ "a" : 1.0 , "usage": {"b": 2} }', '{ "a" : 1.0  }'],
    ['{"usage":null, "a":"\\u00e9"}', '{"a":"\\u00e9"}'],
    ['{"a":{"usage":1},"usage":2,"b":3,"usage":4}', '{"a":{"usage":1},"b":3}'],
    ['{"a":"usage"}', '{"a":"usage"}'],
  ])('keeps every other byte: %s', (json, expected) => {
    expect(withoutMember(json, 'usage')).toBe(expected)
  })
})

describe('the elements of an array’s text', () => {
  it('are those that JSON.parse finds', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), indents, (array, indent) => {
        const elements = elementsOf(spaced(array, indent)).map(element => JSON.parse(element))
        expect(elements).toEqual(JSON.parse(JSON.stringify(array)))
      }),
    )
  })

  it('are counted as JSON.parse finds them, numbers apart', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), indents, (array, indent) => {
        const numbers = array.filter(element => typeof element === 'number').length
        expect(atOnce(countElements(spaced(array, indent)))).toEqual({ elements: array.length, numbers })
      }),
    )
  })

  it.each([
    ['numbers', '1234567,'],
    ['texts', '"abc",'],
    ['lists', '[[1],2],'],
  ])('are counted in portions, however many: %s', (_, element) => {
    const most = Math.floor(4_000_000 / element.length)
    const steps = countElements(`[${element.repeat(most)}0]`)
    let portions = 0
    let step = steps.next()
    for (; !step.done; step = steps.next()) portions += 1
    expect(step.value.elements).toBe(most + 1)
    expect(portions).toBe(15)
  })
})

describe('a member that is changed', () => {
  it.each([
    ['{ "a": 1.0, "b": [2.0] }', '{ "a": 1.0, "b": <[2.0]> }'],
    ['{"a": 1.0 , "b" : {"c":[1,2]} }', '{"a": 1.0 , "b" : <{"c":[1,2]}> }'],
    ['{"b":1,"a":1e400,"b":2}', '{"b":1,"a":1e400,"b":<2>}'],
    ['{"a":{"b":1}}', '{"a":{"b":1},"b":<undefined>}'],
    ['{"a":9007199254740993}', '{"a":9007199254740993,"b":<undefined>}'],
    ['{ "a" : 1.0}', '{ "a" : 1.0,"b":<undefined>}'],
    ['{}', '{"b":<undefined>}'],
  ])('leaves all others as they are written: %s', (json, changed) => {
    expect(withMember(json, 'b', written => `<${written}>`)).toBe(changed)
  })

  it('is left out where it gets no value', () => {
    expect(withMember('{"a":1.0,"b":2}', 'b', () => undefined)).toBe('{"a":1.0}')
    expect(withMember('{ "a":1.0 }', 'b', () => undefined)).toBe('{ "a":1.0 }')
  })

  it.each([
    ['{"a": 1.0 , "b": {"c": 2.0, "d": [ ]} }', '{"a": 1.0 , "b": {"c": <2.0>, "d": [ ]} }'],
    ['{"b":{"d":1}}', '{"b":{"d":1}}'],
    ['{"b":[{"c":1}]}', '{"b":[{"c":1}]}'],
    ['{"b":"{}","c":1}', '{"b":"{}","c":1}'],
  ])('may be one of a member, where both are written: %s', (json, changed) => {
    expect(withInnerMember(json, 'b', 'c', written => `<${written}>`)).toBe(changed)
  })
})
