import { describe, expect, it } from 'vitest'
import { addressOfNode, trustedHop } from '#lib/http/transport.ts'

const hop = (headers: Record<string, string>, hops = 1) => trustedHop(name => headers[name] ?? null, hops)

describe('an entry of a proxy', () => {
  it.each([
    ['198.51.100.7', '198.51.100.7'],
    [' 198.51.100.7 ', '198.51.100.7'],
    ['198.51.100.7:51012', '198.51.100.7'],
    ['"198.51.100.7:51012"', '198.51.100.7'],
    ['198.51.100.7:_port', '198.51.100.7'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['"[2001:db8::1]:4711"', '2001:db8::1'],
    ['"2001:db8::1"', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['[fe80::1%25eth0]:80', 'fe80::1%eth0'],
    ['::ffff:198.51.100.7', '::ffff:198.51.100.7'],
  ])('%s is the address %s', (entry, address) => expect(addressOfNode(entry)).toBe(address))

  it.each([
    'unknown',
    '_hidden',
    '',
    '""',
    '1',
    '127.1',
    '0x7f.0.0.1',
    '010.0.0.1',
    '198.51.100.7:port',
    '198.51.100.7:123456',
    '198.51.100',
    '[198.51.100.7]',
    '[2001:db8::1',
    '2001:db8::1]',
    '[2001:db8::1]x',
    '[unknown]',
    'client.example',
    'x'.repeat(10_000),
    '"'.repeat(10_000),
  ])('“%.30s” is no address', entry => expect(addressOfNode(entry)).toBeUndefined())
})

describe('the hop that is believed', () => {
  it('is none where no proxy is trusted', () => {
    const headers = { 'x-forwarded-for': '198.51.100.7', forwarded: 'for=198.51.100.8;proto=https' }
    expect(hop(headers, 0)).toEqual({})
  })

  it.each<[string, number, string | undefined]>([
    ['198.51.100.1, 198.51.100.2, 198.51.100.3', 1, '198.51.100.3'],
    ['198.51.100.1, 198.51.100.2, 198.51.100.3', 2, '198.51.100.2'],
    ['198.51.100.1, 198.51.100.2', 5, '198.51.100.1'],
    ['198.51.100.1, , 198.51.100.2, ,', 1, '198.51.100.2'],
    ['198.51.100.1,, 198.51.100.2', 2, '198.51.100.1'],
    ['", 198.51.100.2', 1, '198.51.100.2'],
    ['198.51.100.1, unknown', 1, undefined],
    [',,', 1, undefined],
  ])('is counted from the right, empty entries aside: X-Forwarded-For: %s by %i', (list, hops, address) =>
    expect(hop({ 'x-forwarded-for': list }, hops).address).toBe(address),
  )

  it.each<[string, number, string | undefined]>([
    ['for=198.51.100.1', 1, '198.51.100.1'],
    ['For="[2001:db8::1]:4711";Proto=https;by=203.0.113.43', 1, '2001:db8::1'],
    ['for=198.51.100.1, for=198.51.100.2', 1, '198.51.100.2'],
    ['for=198.51.100.1, for=198.51.100.2', 2, '198.51.100.1'],
    ['for=198.51.100.1 ; proto=http , FOR = 198.51.100.2', 1, '198.51.100.2'],
    ['for=198.51.100.1;ext="a, for=198.51.100.9; \\" b"', 1, '198.51.100.1'],
    ['for=198.51.100.1, for=198.51.100.2;by="_x,y"', 2, '198.51.100.1'],
    ['for=_hidden', 1, undefined],
    ['for="_SEVKISEK"', 1, undefined],
    ['for=unknown', 1, undefined],
    ['proto=https', 1, undefined],
    ['for=198.51.100.1;for=198.51.100.2', 1, undefined],
    ['198.51.100.1', 1, undefined],
    [';;=;,', 1, undefined],
  ])('reads Forwarded: %s by %i', (forwarded, hops, address) =>
    expect(hop({ forwarded }, hops).address).toBe(address),
  )

  it.each([
    'for="',
    'for="\\',
    'for="198.51.100.9;proto=https',
    'for=198.51.100.9, "',
    '"',
    'for="a" for="b',
  ])('is what the proxy appended, whatever quotes a client sent before it: %s', sent => {
    const forwarded = `${sent}, for="[2001:db8::7]:4711";proto=http;host="chat.example.com"`
    expect(hop({ forwarded })).toEqual({ address: '2001:db8::7', proto: 'http', host: 'chat.example.com' })
  })

  it('takes each fact from X-Forwarded-… where that came, else from Forwarded', () => {
    const forwarded = 'for=198.51.100.8;proto=https;host=a.example'
    expect(hop({ forwarded })).toEqual({ address: '198.51.100.8', proto: 'https', host: 'a.example' })
    expect(hop({ forwarded, 'x-forwarded-for': '198.51.100.7' }).address).toBe('198.51.100.7')
    expect(hop({ forwarded, 'x-forwarded-proto': 'HTTP' }).proto).toBe('http')
    expect(hop({ forwarded, 'x-forwarded-host': 'b.example' }).host).toBe('b.example')
    expect(hop({ forwarded, 'x-forwarded-for': 'unknown' }).address).toBeUndefined()
  })
})
