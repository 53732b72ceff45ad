import { useEffect, useState } from 'react'
import { fetchTools } from '../../gateway/tools.ts'
import type { Tool } from '../../gateway/wire.ts'

const TOOLS_KEY = 'parley-tools'

/** The tools that a model can be given, and the chosen ones; the choice is stored in this browser. */
export function useTools() {
  const [tools, setTools] = useState<Tool[]>([])
  const [wanted, setWanted] = useState<readonly string[]>([])

  useEffect(() => {
    let isShown = true
    void fetchTools().then(offered => {
      if (!isShown) return
      setTools(offered)
      setWanted(remembered())
    })
    return () => {
      isShown = false
    }
  }, [])

  function choose(name: string, isWanted: boolean) {
    const others = wanted.filter(one => one !== name)
    const next = isWanted ? [...others, name] : others
    setWanted(next)
    try {
      localStorage.setItem(TOOLS_KEY, next.join())
    } catch {}
  }

  const chosen = tools.flatMap(({ name }) => (wanted.includes(name) ? [name] : []))
  return { tools, chosen, choose }
}

/** Storage can be refused; then every page load begins without tools. */
function remembered(): readonly string[] {
  try {
    return localStorage.getItem(TOOLS_KEY)?.split(',') ?? []
  } catch {
    return []
  }
}
