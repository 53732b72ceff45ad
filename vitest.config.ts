import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['__tests__/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // The gateways under test are processes of their own: more workers would only take turns with them.
    maxWorkers: 1,
    // A shared machine may stall for seconds, which no bound in a test can tell from a fault.
    retry: process.env.CI ? 2 : 0,
  },
})
