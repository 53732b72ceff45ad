import { useEffect, useState } from 'react'
import { fetchModels, initialModel } from '../gateway/models.ts'
import type { Model } from '../gateway/wire.ts'

const MODEL_KEY = 'parley-model'

/** The available models and the chosen one; the choice is stored in this browser. */
export function useModels() {
  const [models, setModels] = useState<Model[]>([])
  const [model, setModel] = useState<string>()
  const [first] = useState(() => Promise.withResolvers<string | undefined>())

  useEffect(() => {
    let isShown = true
    // Goes on where the page is left: a question may wait for it.
    void fetchModels().then(offered => {
      const initial = initialModel(offered, remembered())
      first.resolve(initial)
      if (!isShown) return
      setModels(offered)
      setModel(initial)
    })
    return () => {
      isShown = false
    }
  }, [first])

  function chooseModel(id: string) {
    setModel(id)
    try {
      localStorage.setItem(MODEL_KEY, id)
    } catch {}
  }

  /** The model that a question is for: a promise until the models are known. */
  const asked = model ?? first.promise
  return { models, model, asked, chooseModel }
}

/** Storage can be refused; then every page load begins with the default. */
function remembered(): string | null {
  try {
    return localStorage.getItem(MODEL_KEY)
  } catch {
    return null
  }
}
