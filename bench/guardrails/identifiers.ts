import { seededRandom } from './random.ts'

/** A text with the identifiers in it, as they were put there. */
export interface IdentifierText {
  readonly text: string
  readonly identifiers: readonly { readonly kind: string; readonly value: string }[]
}

type Random = () => number
type Make = (random: Random) => string

const upTo = (random: Random, most: number): number => Math.floor(random() * most)
const pick = <T>(random: Random, list: readonly T[]): T => list[upTo(random, list.length)] as T
const digits = (random: Random, count: number): string =>
  Array.from({ length: count }, () => upTo(random, 10)).join('')
const characters = (random: Random, count: number, alphabet: string): string =>
  Array.from({ length: count }, () => alphabet[upTo(random, alphabet.length)]).join('')
const grouped = (text: string, sizes: readonly number[], separator: string): string =>
  sizes
    .map((size, index) => {
      const from = sizes.slice(0, index).reduce((sum, each) => sum + each, 0)
      return text.slice(from, from + size)
    })
    .join(separator)

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const HEX = '0123456789abcdef'

/** The digit that makes a number pass Luhn's check. */
const luhnDigit = (start: string): string => {
  const sum = Array.from(start)
    .reverse()
    .reduce((total, character, index) => {
      const value = Number(character) * (index % 2 === 0 ? 2 : 1)
      return total + (value > 9 ? value - 9 : value)
    }, 0)
  return String((10 - (sum % 10)) % 10)
}

const card: Make = random => {
  const [prefix, length] = pick(random, [
    ['4', 16],
    ['51', 16],
    ['55', 16],
    ['2223', 16],
    ['34', 15],
    ['37', 15],
    ['6011', 16],
    ['65', 16],
    ['3530', 16],
    ['62', 16],
  ] as const)
  const start = prefix + digits(random, length - prefix.length - 1)
  const number = start + luhnDigit(start)
  const separator = pick(random, ['', '', ' ', '-'])
  return grouped(number, length === 15 ? [4, 6, 5] : [4, 4, 4, 4], separator)
}

const IBANS: readonly (readonly [string, number, string])[] = [
  ['DE', 18, ''],
  ['FR', 23, ''],
  ['ES', 20, ''],
  ['NL', 10, 'ABNA'],
  ['GB', 14, 'NWBK'],
  ['IT', 22, 'X'],
  ['PL', 24, ''],
  ['CH', 17, ''],
  ['AT', 16, ''],
  ['SE', 20, ''],
  ['BE', 12, ''],
  ['TR', 22, ''],
]

const iban: Make = random => {
  const [country, length, bank] = pick(random, IBANS)
  const account = bank + digits(random, country === 'IT' ? length : country === 'NL' ? 10 : length)
  const numeric = Array.from(`${account}${country}00`, character => Number.parseInt(character, 36)).join('')
  const check = String(98n - (BigInt(numeric) % 97n)).padStart(2, '0')
  const written = `${country}${check}${account}`
  return random() < 0.5 ? written : (written.match(/.{1,4}/g) ?? []).join(' ')
}

const ssn: Make = random => {
  const area = String(1 + upTo(random, 898)).padStart(3, '0')
  return [
    area === '666' ? '665' : area,
    String(1 + upTo(random, 99)).padStart(2, '0'),
    String(1 + upTo(random, 9998)).padStart(4, '0'),
  ].join('-')
}

const NAMES = 'john jane maria lukas sophie wei yuki pierre giulia olga ahmed priya ana lars emre noor'.split(
  ' ',
)
const HOSTS = 'example mail contoso firma empresa societe kaisha ditta webmail uni-berlin my-shop'.split(' ')

const email: Make = random =>
  `${pick(random, NAMES)}${pick(random, ['', '.', '_', '+', '-'])}${pick(random, [...NAMES, '42', '7'])}@${pick(random, ['', 'mail.', 'team.'])}${pick(random, HOSTS)}.${pick(random, ['com', 'org', 'de', 'co.uk', 'fr', 'com.br', 'jp', 'museum', 'io'])}`

const ip: Make = random => {
  if (random() < 0.6) return Array.from({ length: 4 }, () => upTo(random, 256)).join('.')
  const groups = Array.from({ length: 8 }, () => (4096 + upTo(random, 61_439)).toString(16))
  return random() < 0.5 ? groups.join(':') : `${groups.slice(0, 2 + upTo(random, 3)).join(':')}::${groups[7]}`
}

const phone: Make = random =>
  pick<Make>(random, [
    next => `+49 ${digits(next, 2).replace(/^0/, '3')} ${1 + upTo(next, 9)}${digits(next, 7)}`,
    next => `+33 ${1 + upTo(next, 9)} ${grouped(digits(next, 8), [2, 2, 2, 2], ' ')}`,
    next =>
      `(${2 + upTo(next, 8)}${digits(next, 2)}) ${2 + upTo(next, 8)}${digits(next, 2)}-${digits(next, 4)}`,
    next => `+44 20 ${digits(next, 4).replace(/^0/, '7')} ${digits(next, 4)}`,
    next =>
      `+1 ${2 + upTo(next, 8)}${digits(next, 2)}-${2 + upTo(next, 8)}${digits(next, 2)}-${digits(next, 4)}`,
  ])(random)

const secret: Make = random =>
  pick<Make>(random, [
    next => `sk-proj-${characters(next, 74, ALPHANUMERIC)}`,
    next => `sk-ant-api03-${characters(next, 93, ALPHANUMERIC)}AA`,
    next => `AKIA${characters(next, 16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
    next => `ghp_${characters(next, 36, ALPHANUMERIC)}`,
    next => `AIza${characters(next, 35, `${ALPHANUMERIC}_`)}`,
    next => `xoxb-${digits(next, 12)}-${digits(next, 12)}-${characters(next, 24, ALPHANUMERIC)}`,
    next => `sk_live_${characters(next, 24, ALPHANUMERIC)}`,
    next => `glpat-${characters(next, 20, ALPHANUMERIC)}`,
    next => `npm_${characters(next, 36, ALPHANUMERIC)}`,
    next => `hf_${characters(next, 34, ALPHANUMERIC)}`,
    next => `SG.${characters(next, 22, ALPHANUMERIC)}.${characters(next, 43, ALPHANUMERIC)}`,
    next => `gsk_${characters(next, 52, ALPHANUMERIC)}`,
  ])(random)

export const IDENTIFIERS: Readonly<Record<string, Make>> = { card, iban, ssn, email, ip, phone, secret }

/** Sentences of several languages and forms of data, with a place for an identifier. */
const AROUND = [
  'My details are {}, please confirm.',
  'Please use {} for this. Thank you!',
  'Bitte verwenden Sie {} dafür.',
  'Meine Angaben: {}.',
  'Voici mes coordonnées : {}, merci.',
  'Mis datos son {} y nada más.',
  'I miei dati: {}; grazie.',
  'Os meus dados são {}.',
  'Mijn gegevens: {}.',
  'Moje dane to {}.',
  '私の情報は{}です。',
  '我的信息是 {}。',
  'بياناتي هي {} شكرا',
  'Мои данные: {}.',
  '{"value": "{}", "ok": true}',
  'name,value\nanna,{}\n',
  "const value = '{}'",
  '<td>{}</td>',
  '> {}\n\nSee above.',
  '({})',
  '{}',
]

const UNLIKE: readonly Make[] = [
  random =>
    `Order ${digits(random, 16)} of ${2020 + upTo(random, 6)}-0${1 + upTo(random, 9)}-1${upTo(random, 10)} was shipped.`,
  random => `Transaction id: ${digits(random, 12)}; batch ${digits(random, 9)}.`,
  random => `commit ${characters(random, 40, HEX)}`,
  random => `uuid ${grouped(characters(random, 32, HEX), [8, 4, 4, 4, 12], '-')}`,
  random => `timestamp ${1_600_000_000_000 + upTo(random, 300_000_000_000)} ms`,
  random => `version ${upTo(random, 20)}.${upTo(random, 20)}.${upTo(random, 20)}.${upTo(random, 200)} is out`,
  random => `"left-pad": "^${upTo(random, 9)}.${upTo(random, 20)}.${upTo(random, 9)}",`,
  random => `git clone git@github.com:acme/repo${upTo(random, 99)}.git`,
  random => `<img src="logo@${1 + upTo(random, 3)}x.png">`,
  random => `ISBN 978-${digits(random, 1)}-${digits(random, 2)}-${digits(random, 6)}-${digits(random, 1)}`,
  random => `EAN ${digits(random, 13)} costs ${upTo(random, 900)}.${digits(random, 2)} EUR`,
  random => `at ${upTo(random, 90)}.${digits(random, 6)}, ${upTo(random, 180)}.${digits(random, 6)}`,
  random => `MAC ${(characters(random, 12, HEX).match(/../g) ?? []).join(':')}`,
  random => `template<typename T> std::vector<a${upTo(random, 9)}::b> x; // ${digits(random, 3)}`,
  random =>
    `The meeting is at 1${upTo(random, 10)}:${upTo(random, 5)}0:00 on ${1 + upTo(random, 28)}.${1 + upTo(random, 12)}.2026.`,
  random => `pi is 3.${digits(random, 20)} and so on`,
  random => `sha256:${characters(random, 64, HEX)}`,
  random => `data:image/png;base64,${characters(random, 80, ALPHANUMERIC)}==`,
  random =>
    `ticket ${characters(random, 2, 'ABCDEFGHIJ')}-${digits(random, 5)} and part ${digits(random, 3)}-${digits(random, 3)}`,
  random =>
    `The population grew from ${digits(random, 3)} ${digits(random, 3)} to ${digits(random, 3)} ${digits(random, 3)} people.`,
  random => `const rows = [${Array.from({ length: 12 }, () => upTo(random, 1000)).join(', ')}]`,
  random => `class="mt-${upTo(random, 9)} sk-chase" id="task-${digits(random, 6)}"`,
  random =>
    `section ${upTo(random, 9)}.${upTo(random, 9)}.${upTo(random, 9)}.${upTo(random, 9)} of the contract`,
  random => `tracking ${digits(random, 20)} and ${digits(random, 10)}`,
]

/** Texts that are the same for the same seed: each kind in each surrounding, and as many texts without any. */
export const identifierTexts = (seed: number, perKind: number): IdentifierText[] => {
  const random = seededRandom(seed)
  const texts: IdentifierText[] = []
  for (const [kind, make] of Object.entries(IDENTIFIERS))
    for (let count = 0; count < perKind; count += 1) {
      const value = make(random)
      const around = AROUND[count % AROUND.length] ?? '{}'
      texts.push({ text: around.replace('{}', () => value), identifiers: [{ kind, value }] })
    }
  for (let count = 0; count < perKind * UNLIKE.length * 0.5; count += 1)
    texts.push({ text: pick(random, UNLIKE)(random), identifiers: [] })
  return texts
}
