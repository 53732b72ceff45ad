import { isValidElement, type ReactNode, useRef } from 'react'
import { CopyButton } from '../copy-button.tsx'
import { ScrollingText } from '../scrolling-text.tsx'

/** A fenced block: its language, a button that copies it, and the code, which scrolls sideways by itself. */
export function CodeBlock({ children }: { children: ReactNode }) {
  const code = useRef<HTMLPreElement>(null)
  const language = languageOf(children)
  return (
    <figure className="code-block" dir="ltr">
      <figcaption>
        <span>{language ?? 'text'}</span>
        <CopyButton label="Copy code" text={() => code.current?.textContent ?? ''} />
      </figcaption>
      <ScrollingText ref={code}>{children}</ScrollingText>
    </figure>
  )
}

function languageOf(children: ReactNode): string | undefined {
  if (!isValidElement<{ className?: string }>(children)) return undefined
  return /language-(\S+)/.exec(children.props.className ?? '')?.[1]
}
