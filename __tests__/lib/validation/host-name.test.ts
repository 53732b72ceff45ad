import { describe, expect, it } from 'vitest'
import { parseHost, parseListedHost } from '#lib/validation/host-name.ts'

describe('parseHost', () => {
  it.each([
    ['localhost', 'localhost', 'loopback-name'],
    ['localhost:3000', 'localhost', 'loopback-name'],
    ['LocalHost.:3000', 'localhost', 'loopback-name'],
    ['app.localhost', 'app.localhost', 'loopback-name'],
    ['localhost:', 'localhost', 'loopback-name'],
    ['127.0.0.1:3000', '127.0.0.1', 'address'],
    ['192.168.0.7', '192.168.0.7', 'address'],
    ['[::1]:3000', '::1', 'address'],
    ['[2001:DB8:0:0::1]', '2001:db8::1', 'address'],
    ['chat.Example.com.:443', 'chat.example.com', 'name'],
    ['localhost.attacker.example', 'localhost.attacker.example', 'name'],
    ['notlocalhost', 'notlocalhost', 'name'],
    ['127.0.0.1.attacker.example', '127.0.0.1.attacker.example', 'name'],
    ['127.1', '127.1', 'name'],
    ['2130706433', '2130706433', 'name'],
    ['%6cocalhost', '%6cocalhost', 'name'],
    ['localhost..', 'localhost.', 'name'],
  ])('reads %s as %s, a %s', (text, name, kind) => expect(parseHost(text)).toEqual({ name, kind }))

  it.each([
    '',
    '.',
    ':3000',
    'a b',
    'a,b',
    'localhost, attacker.example',
    'localhost/path',
    'http://localhost',
    'user@localhost',
    'localhost:abc',
    'localhost:123456',
    '::1',
    '[::1',
    '[localhost]',
    '[1.2.3.4]',
    'a"',
    'a\u00fc.example',
  ])('takes “%s” for malformed', text => expect(parseHost(text)).toBeUndefined())
})

describe('parseListedHost', () => {
  it.each([
    ['Chat.Example.com', 'chat.example.com'],
    ['chat.example.com:8443', 'chat.example.com'],
    ['::1', '::1'],
    ['[::1]', '::1'],
    ['bücher.example', 'xn--bcher-kva.example'],
  ])('takes %s as %s', (text, name) => expect(parseListedHost(text)).toBe(name))

  it.each(['https://chat.example.com', '*', '*.example.com', 'chat.example.com/path', 'a b'])(
    'refuses %s',
    text => expect(parseListedHost(text)).toBeUndefined(),
  )
})
