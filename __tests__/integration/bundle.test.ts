import { copyFileSync, cpSync, existsSync, globSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { BUNDLE } from '../../scripts/bundle.ts'
import { post } from '../support/chat.ts'
import { GatewayProcess, programOf, ROOT } from '../support/gateway.ts'

let gateway: GatewayProcess | undefined

afterEach(async () => {
  process.env.PARLEY_BUNDLE = BUNDLE
  await gateway?.stop()
})

const sources = (pattern: string): string[] => globSync(pattern, { cwd: ROOT })

const startsThread = (file: string): boolean =>
  readFileSync(join(ROOT, file), 'utf8').includes('threadProgram(import.meta.url)')

it.each([
  ['route', sources('app/**/route.ts')],
  [
    'program of a thread',
    sources('lib/**/*.ts')
      .filter(startsThread)
      .map(file => join(dirname(file), 'thread.ts')),
  ],
])('holds every %s at its source’s path', (_, files) => {
  expect(files.length).toBeGreaterThan(0)
  expect(files.filter(file => !existsSync(join(BUNDLE, file.replace(/\.ts$/, '.js'))))).toEqual([])
})

it('is what the gateways and workers of these tests run', () => {
  expect([programOf('server'), programOf('worker')]).toEqual([
    join(BUNDLE, 'server.js'),
    join(BUNDLE, 'worker.js'),
  ])
})

it('runs in another folder, with neither sources nor packages', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-bundle-'))
  copyFileSync(join(ROOT, 'package.json'), join(folder, 'package.json'))
  process.env.PARLEY_BUNDLE = join(folder, 'dist')
  cpSync(BUNDLE, process.env.PARLEY_BUNDLE, { recursive: true })
  gateway = await GatewayProcess.start('native', {}, { cwd: folder })
  const response = await post(gateway.url, { prompt: 'Hello', model: 'mock/echo' })
  expect(await response.json()).toMatchObject({ content: 'Hello' })
})
