import Link from 'next/link'
import { useEffect, useState } from 'react'
import { handOverFiles } from '../dropped-files.ts'

/** The files that were dropped on this page last, and what forgets them. */
export function useDroppedFiles() {
  const [files, setFiles] = useState<readonly File[]>([])

  useEffect(() => {
    const onDrop = ({ dataTransfer }: DragEvent) => {
      if (dataTransfer?.files.length) setFiles([...dataTransfer.files])
    }
    addEventListener('drop', onDrop)
    return () => removeEventListener('drop', onDrop)
  }, [])

  return { files, dismiss: () => setFiles([]) }
}

export const DROPPED = 'Files can’t be added to a chat.'

/** Says where dropped files go, and takes them there. */
export function DroppedFilesNotice({ files, onDismiss }: { files: readonly File[]; onDismiss: () => void }) {
  return (
    <div className="dock-notice">
      <p>{DROPPED}</p>
      <div className="flex">
        <Link href="/batch" prefetch={false} className="text-button" onClick={() => handOverFiles(files)}>
          Use in a batch
        </Link>
        <button type="button" className="text-button" onClick={onDismiss}>
          Dismiss
        </button>
      </div>
    </div>
  )
}
