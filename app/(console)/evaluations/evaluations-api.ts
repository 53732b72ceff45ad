import { call, type Result } from '../gateway/call.ts'
import type { Failure } from '../gateway/wire.ts'
import type { Report, Run } from './wire.ts'

export type RunsPage = { evaluations: Run[] }

export const fetchRuns = (signal: AbortSignal) => call<RunsPage>('/api/evaluations?limit=50', { signal })

export const fetchReport = (id: string, signal: AbortSignal) =>
  call<Report>(`/api/evaluations/${id}/report`, { signal })

export const cancelRun = (id: string) => call<Run>(`/api/evaluations/${id}/cancel`, { method: 'POST' })

export const removeRun = (id: string) =>
  call<{ deleted: true }>(`/api/evaluations/${id}`, { method: 'DELETE' })

export type NewRun = { file: File; models: string[]; graders: string[]; threshold: number | undefined }

/** Uploads the rows and starts a run of them. */
export async function startRun({ file, models, graders, threshold }: NewRun): Promise<Result<Run>> {
  const form = new FormData()
  form.append('name', file.name.replace(/\.jsonl?$/, ''))
  form.append('file', file)
  const uploaded = await call<{ id: string }>('/api/evaluations/datasets', { method: 'POST', body: form })
  if (uploaded.failure) return uploaded
  const body = {
    dataset: uploaded.value.id,
    variants: models.map(model => ({ model })),
    graders,
    ...(threshold !== undefined && { threshold }),
  }
  const started = await call<Run>('/api/evaluations', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  // A run has rows of its own.
  void call(`/api/evaluations/datasets/${uploaded.value.id}`, { method: 'DELETE' })
  return started
}

/** The wait before the same request may succeed, at least `leastMs`; undefined where it would fail again. */
export function retryAfterMs(
  { retryable, retryAfterSeconds = 0 }: Failure,
  leastMs: number,
): number | undefined {
  return retryable ? Math.max(leastMs, retryAfterSeconds * 1_000) : undefined
}
