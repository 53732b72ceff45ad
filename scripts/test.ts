import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureBuilt } from '../lib/native/console-build.ts'
import { ensureChromium } from './chromium.ts'
import { ensurePostgres } from './postgres.ts'
import { ensureRedis } from './redis.ts'
import { bin, ROOT, run, say } from './step.ts'

type Count = { passed: number; failed: number; skipped: number }

const results = mkdtempSync(join(tmpdir(), 'parley-results-'))

const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8'))

const vitest = async (...projects: readonly string[]): Promise<Count> => {
  const file = join(results, `${projects.join('-')}.json`)
  const code = await run(bin('vitest'), [
    'run',
    ...projects.map(project => `--project=${project}`),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ])
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = readJson(file)
  const failed = code === 0 ? numFailedTests : Math.max(1, numFailedTests)
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests }
}

const playwright = async (): Promise<Count> => {
  const file = join(results, 'playwright.json')
  const code = await run(bin('playwright'), ['test', '--reporter=list,json'], {
    PLAYWRIGHT_JSON_OUTPUT_NAME: file,
  })
  const { expected, unexpected, skipped } = readJson(file).stats
  const failed = code === 0 ? unexpected : Math.max(1, unexpected)
  return { passed: expected, failed, skipped }
}

/** A check that passes or fails as a whole. */
const check = async (command: string, args: readonly string[]): Promise<Count> => {
  const code = await run(bin(command), args)
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 }
}

const sum = (counts: readonly Count[]): Count =>
  counts.reduce((total, { passed, failed, skipped }) => ({
    passed: total.passed + passed,
    failed: total.failed + failed,
    skipped: total.skipped + skipped,
  }))

/** The checks need the build, and neither of them the unit tests: side by side they use both cores. */
const builtAndChecked = async (): Promise<readonly Count[]> => {
  say('\nBuild, format, lint and types, beside the unit tests …')
  const unit = vitest('unit')
  const checked = ensureBuilt(ROOT).then(async () => [
    await check('biome', ['check', '--error-on-warnings']),
    await check('tsc', ['--noEmit']),
  ])
  await Promise.allSettled([unit, checked])
  return [...(await checked), await unit]
}

/** Sets up what the tests need, checks format, lint and types, runs all tests, and ends with one line of totals. */
const main = async (): Promise<void> => {
  await ensureChromium()
  await ensureRedis()
  await ensurePostgres()
  const counts = [...(await builtAndChecked())]
  say('\nContract and integration tests …')
  counts.push(await vitest('processes'))
  say('\nThe pages, in Chromium …')
  counts.push(await playwright())
  say('\nMeasurements, one at a time …')
  counts.push(await vitest('measured'))
  const { passed, failed, skipped } = sum(counts)
  say(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
}

main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error))
  say('\n0 passed, 1 failed')
  process.exitCode = 1
})
