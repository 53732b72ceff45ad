let waiting: readonly File[] = []

/** Keeps files that were dropped on another page for the batch page. */
export function handOverFiles(files: readonly File[]): void {
  waiting = files
}

/** The files that are waiting, once. */
export function takeHandedOverFiles(): readonly File[] {
  const files = waiting
  waiting = []
  return files
}
