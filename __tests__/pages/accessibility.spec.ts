import { sidewaysOverflow } from './support/fit.ts'
import { expect, type Parley, test } from './support/parley.ts'

const STATES: Record<string, (parley: Parley) => Promise<void>> = {
  empty: async () => undefined,
  conversation: parley => parley.discuss('Show me what an answer can hold', 'mock'),
  answering: async parley => {
    await parley.ask('Take your time', 'mock/stall')
    await expect(parley.answer).toContainText('You asked')
  },
  error: async parley => {
    await parley.ask('Fail, please', 'mock/500')
    await expect(parley.answer).toHaveAttribute('data-state', 'failed')
  },
  'cut off': async parley => {
    await parley.ask('Break off, please', 'mock/cut')
    await expect(parley.answer).toHaveAttribute('data-state', 'failed')
  },
}

for (const [state, reach] of Object.entries(STATES)) {
  test(`can be used by everyone when ${state}, in light, in dark and at 320 px`, async ({
    everyLook,
    parley,
    page,
  }) => {
    await parley.open()
    await reach(parley)
    await everyLook(state, async () => {
      expect(await sidewaysOverflow(page), 'nothing sticks out sideways').toBe(0)
    })
  })
}
