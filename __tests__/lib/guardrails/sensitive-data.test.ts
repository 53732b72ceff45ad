import { describe, expect, it } from 'vitest'
import { newKey } from '#lib/auth/keys/format.ts'
import { canaries, sensitiveData, systemPromptLeak } from '#lib/guardrails/sensitive/rail.ts'
import { foundBy } from './inspect.ts'

const found = (text: string): string[] => foundBy(sensitiveData, text)

describe('cards', () => {
  it.each([
    ['4111111111111111', 'card-visa'],
    ['4111 1111 1111 1111', 'card-visa'],
    ['5555-5555-5555-4444', 'card-mastercard'],
    ['2223003122003222', 'card-mastercard'],
    ['3782 822463 10005', 'card-amex'],
    ['6011 1111 1111 1117', 'card-discover'],
    ['3530111333300000', 'card-jcb'],
    ['3056 9309 0259 04', 'card-diners'],
    ['6200000000000005', 'card-unionpay'],
    ['4111\u200b1111\u200b1111\u200b1111', 'card-visa'],
    ['４１１１ １１１１ １１１１ １１１１', 'card-visa'],
  ])('are found by brand and check digit: %s', (number, rule) => {
    expect(found(`My card is ${number}, thanks.`)).toEqual([`${rule}: ${number}`])
    expect(found(number)).toEqual([`${rule}: ${number}`])
  })

  it.each([
    ['a wrong check digit', '4111 1111 1111 1112'],
    ['no brand', '9111 1111 1111 1111'],
    ['another grouping', '41 11 1111 1111 1111'],
    ['the start of an identifier', '4111-1111-1111-1111-ab'],
    ['a longer number', '41111111111111111111'],
    ['the middle of a word', 'id4111111111111111'],
    ['a number of milliseconds', '1700000000000'],
  ])('are none with %s: %s', (_, text) => {
    expect(found(`order ${text} shipped`)).toEqual([])
  })

  it.each([
    ['4111111111111111-123', '4111111111111111'],
    ['4111 1111 1111 1111-12/27', '4111 1111 1111 1111'],
    ['4111111111111111-1234', '4111111111111111'],
    ['4111111111111111.Thanks', '4111111111111111'],
    ['4111\t1111\t1111\t1111', '4111\t1111\t1111\t1111'],
    ['4111 1111\n1111 1111', '4111 1111\n1111 1111'],
    ['4111 1111\r\n1111 1111', '4111 1111\r\n1111 1111'],
    ['4111  1111  1111  1111', '4111  1111  1111  1111'],
    ['4111\t1111\t1111\t1111\t12/27', '4111\t1111\t1111\t1111'],
    ['4111111111111111\n4111111111111111', '4111111111111111\n4111111111111111'],
  ])('are found before a check number or a sentence, and across tabs and line ends: %j', (text, number) => {
    for (const written of [text, `card ${text}`, `card ${text} ok`])
      expect(found(written)).toEqual(number.split(/(?<=\d{16})\n/).map(one => `card-visa: ${one}`))
  })

  it.each([
    '4111111111111111-12345',
    '4111111111111111-123-ab',
    '4111111111111111-123a',
    '4111111111111111-123_4',
    '4111111111111111_123',
    '2024\n4111\n1111\n1111\n1111',
    '4111\t1111\t1111\t1111\t2024',
    '4111 1111   1111 1111',
    '4111-1111\n1111-1111',
  ])('are none as a part of an identifier or of a table: %j', text => {
    expect(found(`order ${text} shipped`)).toEqual([])
  })

  it('stand across line ends where their checks are sure: national numbers do not', () => {
    expect(found('536\n22\n8714 and 536\t22\t8714')).toEqual([])
    expect(found('536-22-8714\n12 and 536-22-8714\t1')).toEqual([
      'us-ssn: 536-22-8714',
      'us-ssn: 536-22-8714',
    ])
  })

  it('are found between other numbers', () => {
    expect(found('12345 4111 1111 1111 1111 12/27 123')).toEqual(['card-visa: 4111 1111 1111 1111'])
  })
})

describe('accounts and national numbers', () => {
  it.each([
    ['iban-de', 'DE89 3704 0044 0532 0130 00'],
    ['iban-gb', 'GB29NWBK60161331926819'],
    ['iban-fr', 'FR14 2004 1010 0505 0001 3M02 606'],
    ['iban-no', 'NO9386011117947'],
    ['us-ssn', '536-22-8714'],
    ['uk-nino', 'AB 12 34 56 C'],
    ['es-dni', '12345678Z'],
    ['es-nie', 'X1234567L'],
    ['it-codice-fiscale', 'RSSMRA85T10A562S'],
    ['fr-nir', '255081416802538'],
    ['br-cpf', '529.982.247-25'],
    ['be-national-number', '85.07.30-033.28'],
    ['fi-personal-identity-code', '131052-308T'],
    ['cn-resident-id', '11010519491231002X'],
    ['sg-nric', 'S1234567D'],
    ['no-birth-number', '01010750160'],
    ['kr-registration-number', '970314-1234565'],
  ])('are found by their checks: %s %s', (rule, number) => {
    expect(found(`It is ${number}.`)).toEqual([`${rule}: ${number}`])
  })

  it.each([
    ['de-tax-number', 'Steuer-ID', '36574261809'],
    ['pl-pesel', 'PESEL', '44051401359'],
    ['nl-bsn', 'BSN', '111222333'],
    ['ca-sin', 'SIN', '046 454 286'],
    ['uk-nhs', 'NHS number', '987 106 0009'],
    ['tr-identity-number', 'TC Kimlik No', '10000000146'],
    ['in-aadhaar', 'Aadhaar', '234123412346'],
    ['us-ssn', 'SSN', '536228714'],
  ])('with a weak check are found only after a word for them: %s', (rule, word, number) => {
    expect(found(`${word}: ${number}`)).toEqual([`${rule}: ${number}`])
    expect(found(`Reference ${number}`)).toEqual([])
  })

  it.each([
    'DE89 3704 0044 0532 0130 01',
    'XX89 3704 0044 0532 0130 00',
    '000-12-3456',
    '666-12-3456',
    '900-12-3456',
    '536-00-8714',
    '12345678A',
    '529.982.247-26',
  ])('are none with a wrong check: %s', text => {
    expect(found(`It is ${text}.`)).toEqual([])
  })
})

describe('addresses', () => {
  it.each([
    'john.doe+tag@example.co.uk',
    "o'brien@example.com",
    'josé@bücher.de',
    'x_1@sub.example.museum',
    'a@xn--bcher-kva.xn--p1ai',
  ])('of e-mail are found: %s', address => {
    expect(found(`Write to <${address}>, or wait.`)).toEqual([`email: ${address}`])
    expect(found(`mail=${address}`)).toEqual([`email: ${address}`])
  })

  it.each([
    'icon@2x.png',
    'left-pad@1.3.0',
    'git@github.com:a/b',
    '@user@mastodon.social',
    'a@b',
    'x@-a.com',
    '@media.print',
  ])('of e-mail are not mistaken: %s', text => {
    expect(found(`see ${text} here`)).toEqual([])
  })

  it.each(['10.0.0.1', '203.0.113.7', '255.255.255.255'])('of IPv4 are found: %s', address => {
    expect(found(`from ${address}.`)).toEqual([`ipv4: ${address}`])
    expect(found(`http://${address}:8080/`)).toEqual([`ipv4: ${address}`])
  })

  it.each([
    '2001:db8::1',
    'fe80::1ff:fe23:4567:890a',
    '::ffff:192.0.2.1',
    '2001:0db8:85a3:0000:0000:8a2e:0370:7334',
  ])('of IPv6 are found: %s', address => {
    expect(found(`from ${address}.`)).toEqual([`ipv6: ${address}`])
  })

  it.each([
    '256.1.1.1',
    '1.2.3',
    '1.2.3.4.5',
    'version 1.2.3.4',
    'v1.2.3.4',
    '01.2.3.4',
    'std::vector',
    'a::b',
    '12:30:45',
    '::',
    'aa:bb:cc:dd:ee:ff',
  ])('of IP are not mistaken: %s', text => {
    expect(found(`see ${text} here`)).toEqual([])
  })

  it.each([
    ['phone-international', '+49 30 12345678'],
    ['phone-international', '+33 1 42 68 53 00'],
    ['phone-north-american', '(212) 555-0123'],
    ['phone-north-american', '+1 212-555-0123'],
    ['phone-north-american', '212.555.0123'],
  ])('of telephones are found as they are written: %s %s', (rule, number) => {
    expect(found(`It is ${number}.`)).toEqual([`${rule}: ${number}`])
  })

  it('of telephones in national form are found only after a word for them', () => {
    expect(found('Tel.: 030 12345678')).toEqual(['phone-national: 030 12345678'])
    expect(found('Invoice 030 12345678')).toEqual([])
  })
})

describe('secrets', () => {
  const letters = (length: number): string => 'aB3dE6gH9jK2mN5pQ8sT1vW4xY7z'.repeat(10).slice(0, length)
  const hex = (length: number): string => '0123456789abcdef'.repeat(10).slice(0, length)

  it.each([
    ['openai-key', `sk-proj-${letters(80)}`],
    ['openai-key', `sk-${letters(48)}`],
    ['anthropic-key', `sk-ant-api03-${letters(93)}AA`],
    ['openrouter-key', `sk-or-v1-${hex(64)}`],
    ['aws-access-key', 'AKIAIOSFODNN7EXAMPLE'],
    ['github-key', `ghp_${letters(36)}`],
    ['github-key', `github_pat_${letters(22)}_${letters(59)}`],
    ['gitlab-key', `glpat-${letters(20)}`],
    ['google-key', `AIza${letters(35)}`],
    ['slack-key', `xoxb-123456789012-123456789012-${letters(24)}`],
    ['stripe-key', `sk_live_${letters(24)}`],
    ['sendgrid-key', `SG.${letters(22)}.${letters(43)}`],
    ['npm-key', `npm_${letters(36)}`],
    ['hugging-face-key', `hf_${letters(34)}`],
    ['groq-key', `gsk_${letters(52)}`],
    ['jwt', `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${letters(43)}`],
  ])('of vendors are found by their formats: %s', (rule, key) => {
    expect(found(`KEY="${key}"`)).toEqual([`${rule}: ${key}`])
    expect(found(`use ${key}.`)).toEqual([`${rule}: ${key}`])
  })

  it('of this gateway are found by their checksum', () => {
    const key = newKey()
    expect(found(`Bearer ${key}`)).toEqual([`parley-key: ${key}`])
    expect(found(`Bearer ${key.slice(0, -1)}${key.endsWith('a') ? 'b' : 'a'}`)).toEqual([])
  })

  it.each(['sk-learn', 'sk-proj-short', 'AKIA', 'task-proj-abc', 'AIzaShort', 'pk_live_x', 'eyJ.eyJ.x'])(
    'are not mistaken: %s',
    text => {
      expect(found(`see ${text} here`)).toEqual([])
    },
  )

  it('as private keys are found whole, cut-off ones too', () => {
    const key = `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B\n\n${letters(64)}\n${letters(40)}==\n-----END RSA PRIVATE KEY-----`
    expect(found(`Here:\n${key}\nbye`)).toEqual([`private-key-pem: ${key}`])
    expect(found(`${key.slice(0, -31)}`)).toHaveLength(1)
    expect(found(JSON.stringify({ key }))).toHaveLength(1)
    expect(found(key.replaceAll('PRIVATE', 'PUBLIC'))).toEqual([])
  })

  it('in URLs are found, places for them are not', () => {
    expect(found('postgres://app:s3cr3t!@db.example.com/x')).toEqual(['url-credentials: app:s3cr3t!'])
    expect(found('postgres://app:<password>@localhost/x')).toEqual([])
  })
})

describe('what must not leave', () => {
  it('holds canaries in any case, within words and with invisible characters', () => {
    const rail = canaries(['Canary-7f3a'])
    expect(foundBy(rail, 'xxcanary-7F3Axx')).toEqual(['canary: canary-7F3A'])
    expect(foundBy(rail, 'can\u200bary-7f3a')).toEqual(['canary: can\u200bary-7f3a'])
    expect(foundBy(rail, 'canary-7f3b')).toEqual([])
  })

  it('holds 60 characters of the system prompt in a row, whatever the white space and case', () => {
    const prompt =
      'You are the assistant of Example Corp. Never tell a customer that discounts of up to 40 % exist, and be brief.'
    const rail = systemPromptLeak([prompt])
    const passage = 'Never TELL a customer that\n discounts of up to 40 % exist, and be brief.'
    expect(foundBy(rail, `It says: ${passage} So.`, 'answer')).toEqual([`system-prompt-verbatim: ${passage}`])
    expect(foundBy(rail, 'You are the assistant of Example Corp. Nice.', 'answer')).toEqual([])
    expect(foundBy(rail, prompt, 'user')).toEqual([])
  })
})
