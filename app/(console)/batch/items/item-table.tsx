import { useState } from 'react'
import { cost } from '../../format.ts'
import type { Item, Job } from '../../gateway/job-wire.ts'
import { ChevronIcon } from '../../icons.tsx'
import { ItemDetailView } from './item-detail.tsx'

const COLUMNS = 5

/** The items with their results, each of which can be opened. On a narrow screen every row is a stack of lines. */
export function ItemTable({ items, job }: { items: readonly Item[]; job: Job }) {
  return (
    <table className="items mt-1" aria-label={`Items of ${job.name}`}>
      <thead>
        <tr>
          <th scope="col" className="w-[22%]">
            Item
          </th>
          <th scope="col" className="w-[14%]">
            State
          </th>
          <th scope="col" className="w-[9%]">
            Tries
          </th>
          <th scope="col" className="w-[18%]">
            Cost
          </th>
          <th scope="col">Answer</th>
        </tr>
      </thead>
      <tbody>
        {items.map(item => (
          <ItemRow key={item.index} item={item} jobId={job.id} />
        ))}
      </tbody>
    </table>
  )
}

function ItemRow({ item, jobId }: { item: Item; jobId: string }) {
  const [open, setOpen] = useState(false)
  const detailId = `${jobId}-${item.index}`
  return (
    <>
      <tr data-item-state={item.state}>
        <th scope="row">
          <button
            type="button"
            className="item-button"
            aria-expanded={open}
            aria-controls={open ? detailId : undefined}
            onClick={() => setOpen(!open)}
          >
            <span className={open ? 'rotate-180' : ''}>
              <ChevronIcon />
            </span>
            <span className="min-w-0">{label(item)}</span>
          </button>
        </th>
        <td data-label="State" className="capitalize">
          {item.state}
        </td>
        <td data-label="Tries" className="tabular-nums">
          {item.attempts}
        </td>
        <td data-label="Cost" className="tabular-nums">
          {item.costUsd === undefined ? '' : cost(item.costUsd)}
        </td>
        <td className="outcome">{open ? '' : outcome(item)}</td>
      </tr>
      {open && (
        <tr className="item-detail">
          <td id={detailId} colSpan={COLUMNS}>
            <ItemDetailView item={item} jobId={jobId} name={label(item)} />
          </td>
        </tr>
      )}
    </>
  )
}

/** `12`, `faq`, and its position in an upload. */
function label({ id, file, line }: Item): string {
  if (!file) return id
  const location = line === undefined ? file : `${file}, line ${line}`
  return id === file || id.startsWith(`${file}:`) ? location : `${id} (${location})`
}

const LONGEST_PREVIEW = 120
/** The marks with which Markdown begins a heading, a quotation, a list or a block. */
const BLOCK_MARKS = /^\s*(?:#{1,6}\s+|>\s*|[-*+]\s+|```\w*\s*)+/

/** The beginning of the answer, or why there is none. */
export function outcome({ content, error }: Item): string {
  if (error) return error.message
  const line = content?.split('\n').find(one => one.replace(BLOCK_MARKS, '').trim() !== '') ?? ''
  const text = line.replace(BLOCK_MARKS, '').replaceAll(/\*\*|`/g, '')
  return text.length > LONGEST_PREVIEW ? `${text.slice(0, LONGEST_PREVIEW).toWellFormed()}…` : text
}
