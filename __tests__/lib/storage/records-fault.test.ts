import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import { isPassing, recordsError } from '#lib/storage/records/fault.ts'
import { RecordsMonitor } from '#lib/storage/records/monitor.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const failed = (code: string, more: object = {}) => Object.assign(new Error('it failed'), { code, ...more })
const codeOf = (error: unknown) => {
  const told = recordsError(error)
  return told instanceof GatewayError ? told.code : 'ours'
}

describe('an error of the database', () => {
  it.each([
    ...[
      '08000',
      '08006',
      '08P01',
      '25006',
      '25P03',
      '28000',
      '28P01',
      '3D000',
      '3F000',
      '40001',
      '40003',
      '40P01',
    ],
    ...[
      '42P01',
      '42501',
      '53000',
      '53100',
      '53200',
      '53300',
      '55000',
      '55006',
      '55P03',
      '57014',
      '57P01',
      '57P02',
    ],
    ...['57P03', '57P04', '57P05', '58000', '58030', '58P01', 'F0001', 'XX000', 'XX001', 'XX002'],
    ...[
      'ECONNREFUSED',
      'ECONNRESET',
      'EPIPE',
      'ETIMEDOUT',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EHOSTUNREACH',
      'EMFILE',
    ],
    ...[
      'ERR_SOCKET_CLOSED',
      'CERT_HAS_EXPIRED',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ])('that its state or the way to it causes is STORE_UNAVAILABLE with a time to come back: %s', code => {
    expect(recordsError(failed(code))).toMatchObject({ code: 'STORE_UNAVAILABLE', retryAfterSeconds: 1 })
  })

  it.each([
    ...[
      '0A000',
      '21000',
      '22001',
      '22003',
      '22021',
      '22P02',
      '22P05',
      '23502',
      '23503',
      '23505',
      '25P02',
      '26000',
    ],
    ...['42601', '42703', '42804', '42883', '54001', 'ERR_INVALID_ARG_TYPE', 'ERR_OUT_OF_RANGE', ''],
  ])('that a mistake of ours causes stays one: %s', code => expect(codeOf(failed(code))).toBe('ours'))

  it.each([
    'timeout exceeded when trying to connect',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'Client has encountered a connection error and is not queryable',
    'Query read timeout',
    'received invalid response: 48',
  ])('of the driver’s own is STORE_UNAVAILABLE: %s', message =>
    expect(codeOf(new Error(message))).toBe('STORE_UNAVAILABLE'),
  )

  it.each([
    [5, 'STORE_UNAVAILABLE'],
    [8, 'STORE_UNAVAILABLE'],
    [10, 'STORE_UNAVAILABLE'],
    [11, 'STORE_UNAVAILABLE'],
    [13, 'STORE_UNAVAILABLE'],
    [14, 'STORE_UNAVAILABLE'],
    [26, 'STORE_UNAVAILABLE'],
    [778, 'STORE_UNAVAILABLE'],
    [1, 'ours'],
    [19, 'ours'],
    [20, 'ours'],
  ])('of SQLite is recognised by its primary code: %i', (errcode, told) =>
    expect(codeOf(failed('ERR_SQLITE_ERROR', { errcode, errstr: 'words' }))).toBe(told),
  )

  it('with which Postgres ended the session is STORE_UNAVAILABLE, whatever its code', () =>
    expect(codeOf(failed('0A000', { severity: 'FATAL' }))).toBe('STORE_UNAVAILABLE'))

  it.each(['40001', '40P01', '55P03'])('that passes is tried again: %s', code =>
    expect(isPassing(failed(code))).toBe(true),
  )
})

const TOOK_MS = 5

describe('the watch over the records', () => {
  const setting = () => {
    const clock = new FakeClock()
    const lines: string[] = []
    const watch = new RecordsMonitor({
      clock,
      onLost: () => lines.push('lost'),
      onBack: () => lines.push('back'),
    })
    return { clock, lines, watch, absent: recordsError(failed('25006')) }
  }

  it('sees writing fail while reading goes on', async () => {
    const { clock, watch, absent } = setting()
    watch.ended('write', TOOK_MS, absent)
    await clock.advance(10_000)
    watch.ended('read', TOOK_MS)
    expect(watch.failure).toBe('writing fails (25006)')
    watch.ended('write', TOOK_MS)
    expect(watch.failure).toBeUndefined()
  })

  it('says once that they fail and once that they work, however often they fail in between', async () => {
    const { clock, lines, watch, absent } = setting()
    for (let second = 0; second < 60; second += 1) {
      watch.ended('write', TOOK_MS, absent)
      watch.ended('write', TOOK_MS)
      watch.ended('read', TOOK_MS, absent)
      await clock.advance(1_000)
    }
    expect(lines).toEqual(['lost'])
    await clock.advance(2_000)
    watch.ended('read', TOOK_MS)
    watch.ended('write', TOOK_MS)
    expect(lines).toEqual(['lost', 'back'])
  })

  it('counts what a client or a mistake of ours caused as neither', async () => {
    const { clock, lines, watch, absent } = setting()
    watch.ended('write', TOOK_MS, new GatewayError('CONFLICT'))
    watch.ended('write', TOOK_MS, failed('23505'))
    expect(lines).toEqual([])
    watch.ended('write', TOOK_MS, absent)
    await clock.advance(10_000)
    watch.ended('write', TOOK_MS, failed('23505'))
    expect(lines).toEqual(['lost'])
  })

  it('passes over a late failure of what began before they worked again', async () => {
    const { clock, lines, watch, absent } = setting()
    watch.ended('write', TOOK_MS, absent)
    await clock.advance(10_000)
    watch.ended('write', TOOK_MS)
    await clock.advance(1_000)
    watch.ended('read', 5_000, absent)
    expect(lines).toEqual(['lost', 'back'])
    await clock.advance(6_000)
    watch.ended('read', 5_000, absent)
    expect(lines).toEqual(['lost', 'back', 'lost'])
  })
})
