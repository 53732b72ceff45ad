/** Texts to count. */
export type ThreadTexts = Readonly<{ id: number; texts: readonly string[] }>

/** How many tokens they have together. */
export type ThreadCount = Readonly<{ id: number; tokens: number }>
