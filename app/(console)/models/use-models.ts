import { useEffect, useState } from 'react'
import { fetchModels, initialModel } from '../gateway/models.ts'
import type { Model } from '../gateway/wire.ts'

const MODEL_KEY = 'parley-model'

/** The available models and the chosen one; the choice is stored in this browser. */
export function useModels() {
  const [models, setModels] = useState<Model[]>([])
  const [model, setModel] = useState<string>()

  useEffect(() => {
    const unmounted = new AbortController()
    void fetchModels(unmounted.signal).then(offered => {
      if (unmounted.signal.aborted) return
      setModels(offered)
      setModel(initialModel(offered, remembered()))
    })
    return () => unmounted.abort()
  }, [])

  function chooseModel(id: string) {
    setModel(id)
    try {
      localStorage.setItem(MODEL_KEY, id)
    } catch {}
  }

  return { models, model, chooseModel }
}

/** Storage can be refused; then every page load begins with the default. */
function remembered(): string | null {
  try {
    return localStorage.getItem(MODEL_KEY)
  } catch {
    return null
  }
}
