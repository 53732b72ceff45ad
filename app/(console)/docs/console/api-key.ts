import { useSyncExternalStore } from 'react'

const CHANGED = 'parley-docs-key'
let key = ''

/** The key of all consoles of the page: in memory, until the page is left. */
export function useApiKey(): [string, (key: string) => void] {
  const current = useSyncExternalStore(
    onChange,
    () => key,
    () => '',
  )
  return [current, setApiKey]
}

function setApiKey(value: string): void {
  key = value
  dispatchEvent(new Event(CHANGED))
}

function onChange(callback: () => void): () => void {
  addEventListener(CHANGED, callback)
  return () => removeEventListener(CHANGED, callback)
}
