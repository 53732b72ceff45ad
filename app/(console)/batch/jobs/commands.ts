import { call } from '../../gateway/call.ts'
import type { Job } from '../../gateway/job-wire.ts'

/** The commands on a batch; each returns its result. */
export const commands = {
  cancel: (id: string) => call<Job>(`/api/batch/jobs/${id}/cancel`, { method: 'POST' }),
  retry: (id: string) => call<Job>(`/api/batch/jobs/${id}/retry`, { method: 'POST' }),
  remove: (id: string) => call<{ deleted: true }>(`/api/batch/jobs/${id}`, { method: 'DELETE' }),
  prioritise: (id: string, priority: Job['priority']) =>
    call<Job>(`/api/batch/jobs/${id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ priority }),
    }),
}
