import { useEffect, useState } from 'react'
import { fetchTools } from '../../gateway/tools.ts'
import type { Tool } from '../../gateway/wire.ts'

const TOOLS_KEY = 'parley-tools'
/** The list while the tools are not known: always the same one, so that nothing is drawn again. */
const NONE: Tool[] = []

/** The tools that a model can be given, and the chosen ones; the choice is stored in this browser. */
export function useTools() {
  const [tools, setTools] = useState<Tool[]>()
  const [wanted, setWanted] = useState<readonly string[]>([])
  const [first] = useState(() => Promise.withResolvers<readonly string[]>())

  useEffect(() => {
    let isShown = true
    // Goes on where the page is left: a question may wait for it.
    void fetchTools().then(offered => {
      const names = remembered()
      first.resolve(among(offered, names))
      if (!isShown) return
      setTools(offered)
      setWanted(names)
    })
    return () => {
      isShown = false
    }
  }, [first])

  function choose(name: string, isWanted: boolean) {
    const others = wanted.filter(one => one !== name)
    const next = isWanted ? [...others, name] : others
    setWanted(next)
    try {
      localStorage.setItem(TOOLS_KEY, next.join())
    } catch {}
  }

  const chosen = among(tools ?? NONE, wanted)
  /** The tools that a question is asked with: a promise until they are known. */
  const asked = tools ? chosen : first.promise
  return { tools: tools ?? NONE, chosen, asked, choose }
}

function among(tools: readonly Tool[], names: readonly string[]): readonly string[] {
  return tools.flatMap(({ name }) => (names.includes(name) ? [name] : []))
}

/** Storage can be refused; then every page load begins without tools. */
function remembered(): readonly string[] {
  try {
    return localStorage.getItem(TOOLS_KEY)?.split(',') ?? []
  } catch {
    return []
  }
}
