/** Check digits of numbers, given as strings of ASCII digits. */

export const digit = (digits: string, index: number): number => digits.charCodeAt(index) - 48

/** Luhn (ISO/IEC 7812-1): cards, the Canadian SIN, Swedish and South African identity numbers. */
export const isLuhn = (digits: string): boolean => {
  let sum = 0
  for (let index = 0; index < digits.length; index += 1) {
    const value = digit(digits, digits.length - 1 - index)
    const doubled = value * 2
    sum += index % 2 === 0 ? value : doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** The remainder of a division by 97 (ISO 7064); letters of either case count as 10 to 35. */
export const mod97 = (text: string): number => {
  let rest = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    const value = code < 58 ? code - 48 : (code & 31) + 9
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest
}

/** The sum of digits, each times its weight. */
export const weighted = (digits: string, weights: readonly number[]): number =>
  weights.reduce((sum, weight, index) => sum + weight * digit(digits, index), 0)

const DIHEDRAL = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
]
const PERMUTATION = [
  '0123456789',
  '1576283094',
  '5803796142',
  '8916043527',
  '9453126870',
  '4286573901',
  '2793806415',
  '7046913258',
]

/** Verhoeff's check by the dihedral group D5: the Indian Aadhaar. */
export const isVerhoeff = (digits: string): boolean => {
  let check = 0
  for (let index = 0; index < digits.length; index += 1) {
    const value = digit(digits, digits.length - 1 - index)
    check = digit(DIHEDRAL[check] ?? '', digit(PERMUTATION[index % 8] ?? '', value))
  }
  return check === 0
}

/** ISO 7064 mod 11,10: the German tax identification number, the Croatian OIB. */
export const isMod11And10 = (digits: string): boolean => {
  let product = 10
  for (let index = 0; index < digits.length - 1; index += 1) {
    const sum = (digit(digits, index) + product) % 10
    product = ((sum === 0 ? 10 : sum) * 2) % 11
  }
  return (11 - product) % 10 === digit(digits, digits.length - 1)
}

/** Whether two digits each for month and day can be a date. */
export const isMonthAndDay = (month: number, day: number): boolean =>
  month >= 1 && month <= 12 && day >= 1 && day <= 31
