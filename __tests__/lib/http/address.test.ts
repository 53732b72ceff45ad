import { describe, expect, it } from 'vitest'
import { clientAddress, limitedAddress } from '#lib/http/request-headers.ts'

const from = (ip: string, forwarded?: string): Request =>
  Object.assign(new Request('http://x/', { headers: forwarded ? { 'x-forwarded-for': forwarded } : {} }), {
    ip,
  })

describe('limitedAddress', () => {
  it.each([
    ['198.51.100.7', '198.51.100.7'],
    ['::ffff:198.51.100.7', '198.51.100.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8:1:2::3%eth0', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['fe80::1%eth1', 'fe80::1%eth1'],
    ['fe80::2', 'fe80::2'],
    ['64:ff9b::c633:6407', '198.51.100.7'],
    ['64:ff9b::198.51.100.8', '198.51.100.8'],
  ])('sees %s as %s', (address, limited) => expect(limitedAddress(address)).toBe(limited))

  it.each(['', 'unknown', '1', '127.1', '0x7f.0.0.1', '1.2.3.4.5', '2001:db8::g', 'x'.repeat(1_000)])(
    'takes “%s” for no address',
    text => expect(limitedAddress(text)).toBeUndefined(),
  )
})

describe('clientAddress', () => {
  it('is the socket’s where no proxy is trusted', () => {
    expect(clientAddress(from('192.0.2.1', '198.51.100.1'), 0)).toBe('192.0.2.1')
  })
  it('is what the outermost trusted proxy saw', () => {
    const forwarded = 'spoofed, 198.51.100.1, 10.0.0.1'
    expect(clientAddress(from('192.0.2.1', forwarded), 1)).toBe('10.0.0.1')
    expect(clientAddress(from('192.0.2.1', forwarded), 2)).toBe('198.51.100.1')
  })
  it('is the socket’s where the proxies sent nothing to believe', () => {
    expect(clientAddress(from('192.0.2.1'), 1)).toBe('192.0.2.1')
    expect(clientAddress(from('192.0.2.1', 'garbage'), 1)).toBe('192.0.2.1')
  })
  it.each(['unknown', '_hidden', '"', '198.51.100.1, unknown', '198.51.100.1:port'])(
    'is the proxy’s, neither shared with those of other proxies nor chosen by the client: %s',
    forwarded => {
      expect(clientAddress(from('192.0.2.1', forwarded), 1)).toBe('192.0.2.1')
      expect(clientAddress(from('192.0.2.2', forwarded), 1)).toBe('192.0.2.2')
    },
  )
  it('is unknown where the host cannot tell', () => {
    expect(clientAddress(new Request('http://x/'), 0)).toBe('unknown')
  })
})
