'use client'

import { CopyButton } from '../copy-button.tsx'
import { ScrollingText } from '../scrolling-text.tsx'

/** Text to copy, under a line that says what it is. */
export function Code({ label, copy, text }: { label: string; copy: string; text: string }) {
  return (
    <figure className="snippet">
      <figcaption>
        <span>{label}</span>
        <CopyButton label={copy} text={() => text} />
      </figcaption>
      <ScrollingText>
        <code>{text}</code>
      </ScrollingText>
    </figure>
  )
}
