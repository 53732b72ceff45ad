import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ConfigFile } from '#lib/config/file-schema.ts'
import { type ConfigReading, ConfigSource } from '#lib/config/source.ts'
import { allListings } from '#lib/gateway/providers.ts'

const EMPTY = ['', '\n \n', '# Nothing.\n', 'null', '~\n']

describe('a configuration file that has been emptied', () => {
  let path: string
  let applied: ConfigFile[]
  let readings: ConfigReading[]

  const sourceOf = (text: string): ConfigSource => {
    writeFileSync(path, text)
    return new ConfigSource({
      path,
      listings: allListings(),
      apply: config => void applied.push(config),
      onRead: reading => void readings.push(reading),
    })
  }

  beforeEach(() => {
    path = join(mkdtempSync(join(tmpdir(), 'parley-config-')), 'gateway.yaml')
    applied = []
    readings = []
  })

  afterEach(() => rmSync(join(path, '..'), { recursive: true }))

  it.each(EMPTY)('is not applied while the gateway runs: %j', text => {
    const source = sourceOf('cache: { enabled: false }')
    source.start()
    writeFileSync(path, text)
    source.look()
    expect(applied).toEqual([{ cache: { enabled: false } }])
    expect(readings.at(-1)).toEqual({ isReload: true, faults: [expect.stringContaining('is empty')] })
    expect(source.problem).toContain('the previous configuration stays in effect')
    writeFileSync(path, '{}')
    source.look()
    expect(applied).toHaveLength(2)
    expect(source.problem).toBeUndefined()
  })

  it.each(EMPTY)('is applied at the start: %j', text => {
    sourceOf(text).start()
    expect(applied).toEqual([{}])
  })
})
