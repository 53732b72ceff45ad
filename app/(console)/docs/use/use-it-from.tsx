'use client'

import { type KeyboardEvent, useId, useRef, useState, useSyncExternalStore } from 'react'
import { Code } from '../code.tsx'
import { snippetsFor } from './snippets.ts'

const never = () => () => undefined

/** Snippets of the usual clients, with the address of this page; `address` until it is known. */
export function UseItFrom({ address }: { address: string }) {
  const origin = useSyncExternalStore(
    never,
    () => location.origin,
    () => address,
  )
  const [chosen, setChosen] = useState(0)
  const tabs = useRef<HTMLDivElement>(null)
  const id = useId()
  const snippets = snippetsFor(origin)
  const snippet = snippets[chosen]

  function choose(index: number) {
    setChosen(index)
    tabs.current?.querySelectorAll('button')[index]?.focus()
  }

  function move(event: KeyboardEvent) {
    const next = { ArrowRight: chosen + 1, ArrowLeft: chosen - 1, Home: 0, End: snippets.length - 1 }[
      event.key
    ]
    if (next === undefined) return
    event.preventDefault()
    choose((next + snippets.length) % snippets.length)
  }

  return (
    <>
      <div ref={tabs} role="tablist" aria-labelledby="use-it-from" className="tabs" onKeyDown={move}>
        {snippets.map(({ name }, index) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}-${index}`}
            aria-selected={index === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={index === chosen ? 0 : -1}
            onClick={() => choose(index)}
          >
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${chosen}`}>
        {snippet && <Code label={snippet.note} copy="Copy snippet" text={snippet.code} />}
      </div>
    </>
  )
}
