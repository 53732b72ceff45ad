import { isLuhn } from './checksums.ts'
import { isUniform, type NumberKind } from './numbers.ts'

/** The first digits of a brand, from and to, with its lengths. */
interface Brand {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly lengths: readonly number[]
}

/** Issuer ranges by ISO/IEC 7812 as the schemes publish them. Lengths that are no longer issued are left out. */
const BRANDS: readonly Brand[] = [
  { name: 'visa', from: '4', to: '4', lengths: [16, 19] },
  { name: 'mastercard', from: '51', to: '55', lengths: [16] },
  { name: 'mastercard', from: '2221', to: '2720', lengths: [16] },
  { name: 'amex', from: '34', to: '34', lengths: [15] },
  { name: 'amex', from: '37', to: '37', lengths: [15] },
  { name: 'discover', from: '6011', to: '6011', lengths: [16, 19] },
  { name: 'discover', from: '644', to: '659', lengths: [16, 19] },
  { name: 'diners', from: '300', to: '305', lengths: [14, 16] },
  { name: 'diners', from: '36', to: '36', lengths: [14] },
  { name: 'diners', from: '38', to: '39', lengths: [14, 16] },
  { name: 'jcb', from: '3528', to: '3589', lengths: [16, 19] },
  { name: 'unionpay', from: '62', to: '62', lengths: [16, 17, 18, 19] },
  { name: 'unionpay', from: '81', to: '81', lengths: [16, 17, 18, 19] },
  { name: 'maestro', from: '5018', to: '5018', lengths: [16, 18, 19] },
  { name: 'maestro', from: '5020', to: '5020', lengths: [16, 18, 19] },
  { name: 'maestro', from: '5038', to: '5038', lengths: [16, 18, 19] },
  { name: 'maestro', from: '5893', to: '5893', lengths: [16, 18, 19] },
  { name: 'maestro', from: '6304', to: '6304', lengths: [16, 18, 19] },
  { name: 'maestro', from: '6759', to: '6763', lengths: [16, 18, 19] },
  { name: 'mir', from: '2200', to: '2204', lengths: [16] },
  { name: 'rupay', from: '60', to: '60', lengths: [16] },
  { name: 'rupay', from: '508', to: '508', lengths: [16] },
]

const GROUPINGS = new Set([
  '4-4-4-4',
  '4-4-4-4-3',
  '4-4-4-2',
  '4-6-5',
  '4-6-4',
  '6-10',
  '6-13',
  '8-8',
  '4-4-4-4-2',
])

const brandOf = (digits: string): Brand | undefined =>
  BRANDS.find(({ from, to, lengths }) => {
    const prefix = digits.slice(0, from.length)
    return prefix >= from && prefix <= to && lengths.includes(digits.length)
  })

/** A Visa number of 13 digits is rare and an EAN may look the same: only after a word for a card. */
const isOldVisa = (digits: string, before: string): boolean =>
  digits.length === 13 && digits.startsWith('4') && /\b(?:card|visa|carte|karte|tarjeta)\b/i.test(before)

/** Payment cards: brand, length, grouping and Luhn check. */
export const card: NumberKind = {
  kind: 'card',
  lengths: [13, 14, 15, 16, 17, 18, 19],
  isSure: true,
  isPossible: digits => isLuhn(digits) && !/^(\d)\1*$/.test(digits),
  check: number => {
    const { digits, grouping, before } = number
    if (grouping.length > 1 && !(GROUPINGS.has(grouping.join('-')) && isUniform(number))) return undefined
    const name = brandOf(digits)?.name ?? (isOldVisa(digits, before) ? 'visa' : undefined)
    if (name === undefined) return undefined
    return { rule: `card-${name}`, score: 0.99 }
  },
}
