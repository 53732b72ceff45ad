import { isValidElement, type ReactNode, useRef } from 'react'
import { CopyButton } from '../copy-button.tsx'

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
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reachable by keyboard */}
      <pre ref={code} tabIndex={0}>
        {children}
      </pre>
    </figure>
  )
}

function languageOf(children: ReactNode): string | undefined {
  if (!isValidElement<{ className?: string }>(children)) return undefined
  return /language-(\S+)/.exec(children.props.className ?? '')?.[1]
}
