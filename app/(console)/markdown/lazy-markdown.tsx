import { lazy, Suspense } from 'react'
import type Markdown from './markdown.tsx'

let ready: typeof Markdown | undefined

/** Loads the renderer; called once the page stands, so that it is there before the first answer. */
export async function loadMarkdown(): Promise<{ default: typeof Markdown }> {
  const module = await import('./markdown.tsx')
  ready = module.default
  return module
}

/** A lazy component shows its fallback for a moment even when its module is there, hence `ready`. */
const Awaited = lazy(loadMarkdown)

/** Markdown, or its bare text in the same type while the renderer is still on its way. */
export function LazyMarkdown({ text, idPrefix }: { text: string; idPrefix: string }) {
  const Renderer = ready ?? Awaited
  return (
    <div className="prose">
      <Suspense fallback={<p className="whitespace-pre-wrap">{text}</p>}>
        <Renderer text={text} idPrefix={idPrefix} />
      </Suspense>
    </div>
  )
}
