import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { elementsOf, membersOf, objectOf } from '#lib/raw-json.ts'

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

describe('the elements of an array’s text', () => {
  it('are those that JSON.parse finds', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), indents, (array, indent) => {
        const elements = elementsOf(spaced(array, indent)).map(element => JSON.parse(element))
        expect(elements).toEqual(JSON.parse(JSON.stringify(array)))
      }),
    )
  })
})
