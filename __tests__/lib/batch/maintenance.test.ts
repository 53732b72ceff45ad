import { expect, it, vi } from 'vitest'
import { runMaintenance } from '#lib/batch/maintenance.ts'
import type { BatchRecords } from '#lib/batch/types.ts'
import { FakeClock } from '../../support/fake-clock.ts'

it('a sweep that fails keeps none of those after it from running', async () => {
  const ran: string[] = []
  const failing = (name: string) => async () => {
    ran.push(name)
    throw new Error(name)
  }
  const records = { removeEnded: failing('ended'), sweep: failing('submissions') } as unknown as BatchRecords
  const faults: unknown[] = []
  void runMaintenance({
    records,
    sweeps: [failing('uploads'), failing('files')],
    clock: new FakeClock(),
    keepMs: 1,
    onError: error => faults.push(error),
  })
  await vi.waitFor(() => expect(faults).toHaveLength(4))
  expect(ran).toEqual(['ended', 'submissions', 'uploads', 'files'])
})
