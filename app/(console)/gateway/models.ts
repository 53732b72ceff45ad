import type { Model } from './wire.ts'

const LONGEST_WAIT_MS = 3_000

/** The available models; an empty list where they cannot be loaded within 3 s, and the gateway then chooses. */
export async function fetchModels(): Promise<Model[]> {
  const response = await fetch('/api/models', { signal: AbortSignal.timeout(LONGEST_WAIT_MS) }).catch(
    () => undefined,
  )
  if (!response?.ok) return []
  const body = (await response.json().catch(() => ({}))) as { models?: Model[] }
  return body.models ?? []
}

/** The models by provider, in the order in which the gateway lists them. */
export function byProvider(models: Model[]): [provider: string, models: Model[]][] {
  return [...Map.groupBy(models, model => model.provider)]
}

/** The initial model: the one chosen last time while it is available, else the gateway's default. */
export function initialModel(models: Model[], remembered: string | null): string | undefined {
  const offered = models.filter(model => model.available)
  const found = offered.find(model => model.id === remembered) ?? offered.find(model => model.default)
  return (found ?? offered[0])?.id
}
