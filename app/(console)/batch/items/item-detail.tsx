import type { ReactNode } from 'react'
import { CopyButton } from '../../copy-button.tsx'
import type { Item, ItemDetail } from '../../gateway/job-wire.ts'
import { LazyMarkdown } from '../../markdown/lazy-markdown.tsx'
import { useItemDetail } from './use-item-detail.ts'

/** Markdown of a longer answer would block the page for long. */
const LONGEST_MARKDOWN = 200_000

const ROLES = { system: 'System message', user: 'Message', assistant: 'Assistant message' } as const

/** One item whole: what was sent, and the answer or the error. */
export function ItemDetailView({ item, jobId, name }: { item: Item; jobId: string; name: string }) {
  const { detail, error } = useItemDetail(jobId, item)
  if (error) {
    return (
      <p role="alert" className="text-danger">
        {error}
      </p>
    )
  }
  if (!detail) return <p className="text-muted">Loading item…</p>
  const parts = partsOf(detail)
  return (
    <div className="flex flex-col gap-3">
      {parts.map(({ key, title, content }) => (
        <Part key={key} title={title} text={content} of={name}>
          <p className="whitespace-pre-wrap">{content}</p>
        </Part>
      ))}
      <Result detail={detail} jobId={jobId} name={name} />
    </div>
  )
}

function partsOf({ messages }: ItemDetail) {
  return messages.map(({ role, content }, index) => ({
    key: index,
    title: messages.length === 1 ? 'Prompt' : ROLES[role],
    content,
  }))
}

function Result({ detail, jobId, name }: { detail: ItemDetail; jobId: string; name: string }) {
  const { content, error, index, state } = detail
  return (
    <>
      {content !== undefined && (
        <Part title="Answer" text={content} of={name}>
          {content.length > LONGEST_MARKDOWN ? (
            <p className="whitespace-pre-wrap">{content}</p>
          ) : (
            <LazyMarkdown text={content} idPrefix={`${jobId}-${index}-`} open={false} />
          )}
          <CutNote detail={detail} />
        </Part>
      )}
      {error && (
        <Part title="Error" text={error.message} of={name}>
          <p className="text-danger">
            {error.message} <code>{error.code}</code>
          </p>
        </Part>
      )}
      {content === undefined && !error && <p className="text-muted">{NO_ANSWER[state]}</p>}
    </>
  )
}

const NO_ANSWER = {
  queued: 'No answer yet: the item is queued.',
  running: 'No answer yet: the item is running.',
  succeeded: 'The answer is empty.',
  failed: 'No answer.',
  cancelled: 'No answer: the item was cancelled.',
} as const

function CutNote({ detail: { truncated, finishReason } }: { detail: ItemDetail }) {
  const isCut = truncated || finishReason === 'length'
  return isCut ? <p className="mt-2 text-warn">This answer reached its length limit</p> : null
}

type PartProps = { title: string; text: string; of: string; children: ReactNode }

function Part({ title, text, of, children }: PartProps) {
  return (
    <section aria-label={`${title} of ${of}`} className="min-w-0 rounded-xl bg-surface px-3 py-2">
      <div className="flex items-center justify-between">
        <h4 className="font-medium text-muted">{title}</h4>
        <CopyButton label={`Copy ${title.toLowerCase()}`} text={() => text} />
      </div>
      <div className="min-w-0 wrap-anywhere">{children}</div>
    </section>
  )
}
