import { type ChangeEvent, type DragEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { UploadIcon } from '../../icons.tsx'
import { EXTENSIONS } from './files.ts'

type Props = { onChoose: (files: File[]) => void; disabled: boolean; children: ReactNode }

/** Accepts files that are dropped on it, or chosen in the browser's own dialog; contains its children. */
export function DropZone({ onChoose, disabled, children }: Props) {
  const [over, setOver] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const chooseNow = useRef(onChoose)
  useEffect(stayOnPage, [])

  // Files may have been chosen before the page was hydrated.
  useEffect(() => {
    const files = input.current?.files
    if (!input.current || !files?.length) return
    chooseNow.current([...files])
    input.current.value = ''
  }, [])

  function enter(event: DragEvent) {
    if (disabled || !event.dataTransfer.types.includes('Files')) return
    // A drop is only possible where `dragover` is cancelled.
    event.preventDefault()
    setOver(true)
  }

  function leave(event: DragEvent<HTMLElement>) {
    const to = event.relatedTarget
    if (!(to instanceof Node && event.currentTarget.contains(to))) setOver(false)
  }

  function drop(event: DragEvent) {
    if (disabled) return
    event.preventDefault()
    setOver(false)
    choose(event.dataTransfer.files)
  }

  function pick(event: ChangeEvent<HTMLInputElement>) {
    choose(event.target.files)
    // Emptied, so that the same file can be chosen again once it was removed.
    event.target.value = ''
  }

  function choose(files: FileList | null) {
    if (files && files.length > 0) onChoose([...files])
  }

  return (
    <section
      aria-label="Files"
      className="drop-zone"
      data-over={over || undefined}
      onDragEnter={enter}
      onDragOver={enter}
      onDragLeave={leave}
      onDrop={drop}
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <label className="file-button">
          <UploadIcon /> Choose files
          <input
            ref={input}
            type="file"
            multiple
            accept={EXTENSIONS.join(',')}
            aria-describedby="files-hint"
            className="sr-only"
            disabled={disabled}
            onChange={pick}
          />
        </label>
        <p id="files-hint" className="text-sm text-muted">
          or drop them here: {EXTENSIONS.join(' ')}
        </p>
      </div>
      {children}
    </section>
  )
}

/** A file that misses the zone would be opened in place of the page, and the draft lost. */
function stayOnPage(): () => void {
  const refuse = (event: globalThis.DragEvent) => {
    if (event.dataTransfer?.types.includes('Files')) event.preventDefault()
  }
  addEventListener('dragover', refuse)
  addEventListener('drop', refuse)
  return () => {
    removeEventListener('dragover', refuse)
    removeEventListener('drop', refuse)
  }
}
