import { bin, ROOT, run, say } from './step.ts'

const STEPS: readonly (readonly [string, string, readonly string[]])[] = [
  ['format and lint', bin('biome'), ['check', '--error-on-warnings']],
  ['types', bin('tsc'), ['--noEmit']],
  ['build, structure and tests', process.execPath, [`${ROOT}/scripts/test.ts`]],
]

/** Everything that has to be right before a change is done, in the order in which it fails fastest. */
for (const [name, command, args] of STEPS) {
  say(`\n── ${name}`)
  if ((await run(command, args)) !== 0) {
    say(`\nNot right yet: ${name}.`)
    process.exit(1)
  }
}
say('\nAll is right.')
