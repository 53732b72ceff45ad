import { useEffect, useRef } from 'react'
import { CopyButton } from '../../copy-button.tsx'
import type { MadeKey } from '../wire.ts'

type Props = {
  made: MadeKey
  onDone: () => void
}

/** Shows the secret of a key this once. It takes the focus. */
export function SecretNotice({ made: { name, key }, onDone }: Props) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  return (
    <section aria-label={`Secret of ${name}`} className="secret mt-4">
      <h3 ref={heading} tabIndex={-1} className="font-medium wrap-anywhere outline-none">
        The secret of “{name}”
      </h3>
      <p className="mt-1 text-sm">
        Copy it now: it is shown only this once. The gateway does not store it and cannot show it again.
      </p>
      <p className="mt-3 flex items-center gap-2">
        <code data-secret className="min-w-0 wrap-anywhere select-all">
          {key}
        </code>
        <CopyButton label="Copy secret" text={() => key} />
      </p>
      <button type="button" className="outline-button mt-3" onClick={onDone}>
        I have copied it
      </button>
    </section>
  )
}
