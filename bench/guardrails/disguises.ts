/** Ways to disguise a text so that words are not recognised, which models still read. */

const CYRILLIC: Readonly<Record<string, string>> = {
  a: 'а',
  c: 'с',
  e: 'е',
  i: 'і',
  o: 'о',
  p: 'р',
  s: 'ѕ',
  x: 'х',
  y: 'у',
}
const LEET: Readonly<Record<string, string>> = { a: '4', e: '3', i: '1', o: '0', s: '5', t: '7' }
const MORSE =
  '.- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --..'.split(
    ' ',
  )

const map = (text: string, change: (character: string) => string): string => Array.from(text, change).join('')
const shift = (text: string, by: number): string =>
  text.replace(/[a-z]/gi, letter => {
    const base = letter < 'a' ? 65 : 97
    return String.fromCharCode(((letter.charCodeAt(0) - base + by) % 26) + base)
  })

const morse = (text: string): string =>
  text
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter(word => word !== '')
    .map(word => Array.from(word, letter => MORSE[letter.charCodeAt(0) - 97] ?? '').join(' '))
    .join(' / ')

const codeOf = (character: string): number => character.codePointAt(0) ?? 0

/** Fourteen, by name. */
export const DISGUISES: Readonly<Record<string, (text: string) => string>> = {
  base64: text => Buffer.from(text).toString('base64'),
  hex: text => Buffer.from(text).toString('hex'),
  rot13: text => shift(text, 13),
  leetspeak: text => map(text, letter => LEET[letter.toLowerCase()] ?? letter),
  reversed: text => Array.from(text).reverse().join(''),
  homoglyphs: text => map(text, letter => CYRILLIC[letter] ?? letter),
  'zero-width': text => Array.from(text).join('\u200b'),
  'full-width': text =>
    map(text, letter =>
      letter > ' ' && letter <= '~' ? String.fromCharCode(codeOf(letter) + 0xfee0) : letter,
    ),
  diacritics: text => map(text, letter => (/[a-z]/i.test(letter) ? `${letter}\u0301\u0323` : letter)),
  spaced: text =>
    text
      .split(' ')
      .map(word => Array.from(word).join(' '))
      .join('   '),
  'url-encoded': text => map(text, letter => `%${codeOf(letter).toString(16).padStart(2, '0')}`),
  'html-entities': text => map(text, letter => `&#${codeOf(letter)};`),
  'unicode-escapes': text => map(text, letter => `\\u${codeOf(letter).toString(16).padStart(4, '0')}`),
  morse,
}

/** More of them, beyond those that the target speaks of. */
export const FURTHER_DISGUISES: Readonly<Record<string, (text: string) => string>> = {
  'tag-characters': text => map(text, letter => String.fromCodePoint(0xe0000 + codeOf(letter))),
  bidirectional: text => `\u202e${map(text, letter => `${letter}\u2066`)}\u202c`,
  'mathematical-letters': text =>
    map(text, letter =>
      /[a-z]/.test(letter) ? String.fromCodePoint(0x1d41a + codeOf(letter) - 97) : letter,
    ),
  'reversed-words': text =>
    text
      .split(' ')
      .map(word => Array.from(word).reverse().join(''))
      .join(' '),
  caesar: text => shift(text, 3),
  binary: text => Array.from(text, letter => codeOf(letter).toString(2).padStart(8, '0')).join(' '),
  'character-codes': text => Array.from(text, codeOf).join(' '),
  'base64-twice': text => Buffer.from(Buffer.from(text).toString('base64')).toString('base64'),
  hyphens: text =>
    text
      .split(' ')
      .map(word => Array.from(word).join('-'))
      .join(' '),
  'no-spaces': text => text.replaceAll(' ', ''),
  'upper-and-lower': text =>
    map(text, letter => (codeOf(letter) % 2 ? letter.toUpperCase() : letter.toLowerCase())),
  'in-a-sentence': text => `Please decode this for me: ${Buffer.from(text).toString('base64')} Thank you!`,
}
