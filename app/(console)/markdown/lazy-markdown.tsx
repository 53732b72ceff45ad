import { lazy, Suspense } from 'react'
import type Markdown from './markdown.tsx'

let ready: typeof Markdown | undefined

/**
 * Begins to load the renderer; called with the first key, so that it is ready before the first answer. What fails
 * here, without a connection for one, is tried again when there is an answer to show.
 */
export function preloadMarkdown(): void {
  loadMarkdown().catch(() => undefined)
}

async function loadMarkdown(): Promise<{ default: typeof Markdown }> {
  const module = await import('./markdown.tsx')
  ready = module.default
  return module
}

/** A lazy component briefly shows its fallback even when its module is loaded, hence `ready`. */
const Awaited = lazy(loadMarkdown)

type Props = { text: string; idPrefix: string; open: boolean }

/** Markdown, or its plain text in the same font while the renderer is loading. */
export function LazyMarkdown({ text, idPrefix, open }: Props) {
  const Renderer = ready ?? Awaited
  return (
    <div className="prose" dir="auto">
      <Suspense fallback={<p className="whitespace-pre-wrap">{text}</p>}>
        <Renderer text={text} idPrefix={idPrefix} open={open} />
      </Suspense>
    </div>
  )
}
