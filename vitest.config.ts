import { defineConfig } from 'vitest/config'

/** Tests of how long the event loop, the memory or a client waits: only one of them at a time is a fair measurement. */
const MEASURED = [
  '__tests__/faults/{clients,instant-items,slow-clients}.test.ts',
  '__tests__/integration/{batch-upload-load,disconnect,event-loop,large-bodies,load}.test.ts',
]
/** Tests that start gateways, databases or Redis: processes of their own, for which they mostly wait. */
const WITH_PROCESSES = ['__tests__/{contracts,faults,integration,simulation,support}/**/*.test.ts']

export default defineConfig({
  test: {
    testTimeout: 120_000,
    hookTimeout: 180_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['__tests__/**/*.test.ts'],
          exclude: WITH_PROCESSES,
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
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'measured', include: MEASURED, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
})
