import { useEffect, useState } from 'react'
import { CheckIcon, CopyIcon } from './icons.tsx'

const SHOWN_MS = 2_000

type Outcome = 'copied' | 'failed'

/** Copies what `text` returns at the moment of the click, and says whether it worked. */
export function CopyButton({ label, text }: { label: string; text: () => string }) {
  const [outcome, setOutcome] = useState<Outcome>()

  useEffect(() => {
    if (!outcome) return
    const timer = setTimeout(() => setOutcome(undefined), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [outcome])

  const name = outcome === 'copied' ? 'Copied' : outcome === 'failed' ? 'Could not copy' : label
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={name}
      title={name}
      onClick={async () => setOutcome(await copy(text()))}
    >
      {outcome === 'copied' ? <CheckIcon /> : <CopyIcon />}
    </button>
  )
}

/** Browsers allow the clipboard only for secure origins, and may refuse even those. */
async function copy(text: string): Promise<Outcome> {
  try {
    await navigator.clipboard.writeText(text)
    return 'copied'
  } catch {
    return 'failed'
  }
}
