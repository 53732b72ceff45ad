'use client'

import { useId, useState } from 'react'
import { ChevronIcon } from '../../icons.tsx'
import type { FirstDraft } from './draft.ts'
import { RequestConsole } from './request-console.tsx'

/** Opens the console of one operation, which is not there before. */
export function TryIt({ draft, name }: { draft: FirstDraft; name: string }) {
  const [isOpen, setIsOpen] = useState(false)
  const id = useId()
  return (
    <div className="mt-3">
      <button
        type="button"
        className="text-button try-it"
        aria-label={`Try it: ${name}`}
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setIsOpen(!isOpen)}
      >
        <ChevronIcon /> Try it
      </button>
      {isOpen && (
        <section id={id} aria-label={`Request: ${name}`} className="request-console">
          <RequestConsole first={draft} />
        </section>
      )}
    </div>
  )
}
