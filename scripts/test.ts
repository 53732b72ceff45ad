import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureBuilt } from '../lib/native/console-build.ts'
import { ensureChromium } from './chromium.ts'
import { ensurePostgres } from './postgres.ts'
import { ensureRedis } from './redis.ts'
import { bin, ROOT, run, say } from './step.ts'
import { type Outcome, outcomeOfPlaywright, outcomeOfVitest, sum, withCode } from './test-reports.ts'

const reports = mkdtempSync(join(tmpdir(), 'parley-results-'))

const vitest = async (project: string): Promise<Outcome> => {
  const file = join(reports, `${project}.json`)
  const code = await run(bin('vitest'), [
    'run',
    `--project=${project}`,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ])
  return withCode('vitest', code, outcomeOfVitest(file))
}

const playwright = async (): Promise<Outcome> => {
  const file = join(reports, 'playwright.json')
  const code = await run(bin('playwright'), ['test', '--reporter=list,json'], {
    PLAYWRIGHT_JSON_OUTPUT_NAME: file,
  })
  return withCode('playwright', code, outcomeOfPlaywright(file))
}

/** A check that passes or fails as a whole. */
const check = async (command: string, args: readonly string[]): Promise<Outcome> => {
  const code = await run(bin(command), args)
  return withCode(command, code, { passed: code === 0 ? 1 : 0, skipped: 0, failures: [] })
}

/** The checks need the build, and neither of them the unit tests: side by side they use both cores. */
const builtAndChecked = async (): Promise<readonly Outcome[]> => {
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
  const outcomes = [...(await builtAndChecked())]
  say('\nContract and integration tests …')
  outcomes.push(await vitest('processes'))
  say('\nThe pages, in Chromium …')
  outcomes.push(await playwright())
  say('\nMeasurements, one at a time …')
  outcomes.push(await vitest('measured'))
  const { passed, skipped, failures } = sum(outcomes)
  if (failures.length > 0) say(`\nFailed:\n${failures.map(failure => `  ${failure}`).join('\n')}`)
  const files = new Set(failures.map(failure => failure.split(':', 1)[0]))
  const failedIn = files.size > 0 ? `; failed in ${[...files].join(', ')}` : ''
  const skippedToo = skipped > 0 ? `, ${skipped} skipped` : ''
  say(`\n${passed} passed, ${failures.length} failed${skippedToo}${failedIn}`)
  process.exitCode = failures.length > 0 || passed === 0 ? 1 : 0
}

main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error))
  say('\n0 passed, 1 failed')
  process.exitCode = 1
})
