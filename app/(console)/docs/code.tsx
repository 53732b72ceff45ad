'use client'

import { CopyButton } from '../copy-button.tsx'

/** Text to copy, under a line that says what it is. */
export function Code({ label, copy, text }: { label: string; copy: string; text: string }) {
  return (
    <figure className="snippet">
      <figcaption>
        <span>{label}</span>
        <CopyButton label={copy} text={() => text} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reachable by keyboard */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
    </figure>
  )
}
