/** A text to count. */
export type ThreadText = Readonly<{ id: number; text: string }>

/** How many tokens it has. */
export type ThreadCount = Readonly<{ id: number; tokens: number }>
