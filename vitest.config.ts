import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Tests of how long the event loop or a client waits, and of many calls at once: only one at a time is fair. */
const MEASURED = [
  '__tests__/contracts/ledger-speed.test.ts',
  '__tests__/faults/{clients,instant-items,slow-clients}.test.ts',
  '__tests__/support/loop-delays.test.ts',
  '__tests__/integration/{batch-upload-load,budgets,disconnect,event-loop,fault-run,guardrail-speed,large-bodies}.test.ts',
]
/** Tests that start gateways, databases or Redis: processes of their own, for which they mostly wait. */
const WITH_PROCESSES = ['__tests__/{contracts,faults,integration,simulation,support}/**/*.test.ts']
/** Gateways start in four fifths of the CPU time with it. The measured ones go without, as their users' do. */
const COMPILE_CACHE = join(import.meta.dirname, 'node_modules/.cache/parley-tests')

/** The files that take longest begin first: one of them that began last would run alone. */
const LONGEST = [
  'npm',
  'v1-batches',
  'redis-faults',
  'shared-state',
  'postgres',
  'batch-kills',
  'shutdown',
  'postgres-start',
  'stuck-worker',
  'route-access',
  'load',
  'start',
  'refusals',
  'ledger',
  'breakers',
  'batch',
  'parity',
  'records-thread',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files)
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.findIndex(name => moduleId.endsWith(`/${name}.test.ts`))
      return at === -1 ? LONGEST.length : at
    }
    return others.toSorted((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    testTimeout: 120_000,
    hookTimeout: 180_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['__tests__/**/*.test.ts'],
          exclude: WITH_PROCESSES,
          // The files keep no state in modules: to load these anew for each took a third of all CPU time.
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'processes',
          include: WITH_PROCESSES,
          exclude: MEASURED,
          // The bound of 50 ms is for a gateway with a core of its own: four test files share two here.
          env: { NODE_COMPILE_CACHE: COMPILE_CACHE, LONGEST_BLOCK_MS: '100' },
          globalSetup: '__tests__/support/fill-compile-cache.ts',
          maxWorkers: 4,
          maxConcurrency: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'measured',
          include: MEASURED,
          globalSetup: '__tests__/support/bundle.ts',
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
