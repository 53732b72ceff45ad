import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { ROOT } from './step.ts'

/** What one command found; `failures` names each failed test with its file and the first line of its error. */
export type Outcome = Readonly<{ passed: number; skipped: number; failures: readonly string[] }>

const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8'))

const failureOf = (file: string, name: string, message = ''): string =>
  `${relative(ROOT, file)}: ${name}\n    ${stripVTControlCharacters(message).split('\n', 1)[0]}`

/** The part of Vitest's report that is read here. */
type VitestFile = Readonly<{
  name: string
  status: string
  message: string
  assertionResults: readonly Readonly<{ fullName: string; status: string; failureMessages: string[] }>[]
}>

const failuresOfFile = ({ name, status, message, assertionResults }: VitestFile): readonly string[] => {
  const failed = assertionResults.filter(test => test.status === 'failed')
  if (status === 'failed' && failed.length === 0) return [failureOf(name, 'the file as a whole', message)]
  return failed.map(({ fullName, failureMessages }) => failureOf(name, fullName, failureMessages[0]))
}

/** @param file what its JSON reporter has written */
export const outcomeOfVitest = (file: string): Outcome => {
  const { numPassedTests, numPendingTests, numTodoTests, testResults } = readJson(file)
  return {
    passed: numPassedTests,
    skipped: numPendingTests + numTodoTests,
    failures: testResults.flatMap(failuresOfFile),
  }
}

/** The part of Playwright's report that is read here. */
type PageSuite = Readonly<{
  suites?: readonly PageSuite[]
  specs?: readonly Readonly<{
    title: string
    file: string
    ok: boolean
    tests: readonly Readonly<{ results: readonly Readonly<{ error?: { message?: string } }>[] }>[]
  }>[]
}>

const failuresOfSuite = (folder: string, { suites = [], specs = [] }: PageSuite): readonly string[] => [
  ...specs
    .filter(({ ok }) => !ok)
    .map(({ file, title, tests }) =>
      failureOf(join(folder, file), title, tests[0]?.results[0]?.error?.message),
    ),
  ...suites.flatMap(suite => failuresOfSuite(folder, suite)),
]

/** @param file what its JSON reporter has written */
export const outcomeOfPlaywright = (file: string): Outcome => {
  const report = readJson(file)
  const { expected: passed, skipped } = report.stats
  return { passed, skipped, failures: failuresOfSuite(report.config.rootDir, report) }
}

/** A command that failed has a failure, also where it names none. */
export const withCode = (command: string, code: number, outcome: Outcome): Outcome =>
  code === 0 || outcome.failures.length > 0
    ? outcome
    : { ...outcome, failures: [`${command} ended with exit code ${code}.`] }

export const sum = (outcomes: readonly Outcome[]): Outcome => ({
  passed: outcomes.reduce((total, { passed }) => total + passed, 0),
  skipped: outcomes.reduce((total, { skipped }) => total + skipped, 0),
  failures: outcomes.flatMap(({ failures }) => failures),
})
