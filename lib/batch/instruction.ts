type Asked<Message> = Readonly<{
  prompt?: string | undefined
  messages?: readonly Message[] | undefined
}>
type Own = Readonly<{ role: 'system' | 'user'; content: string }>

/**
 * The messages sent to the model for an item: its prompt, after the instruction where there is one; or its messages,
 * with the instruction as a system message before them.
 */
export const messagesBelow = <Message>(
  instruction: string | undefined,
  { prompt, messages = [] }: Asked<Message>,
): (Message | Own)[] => {
  if (prompt === undefined)
    return instruction === undefined ? [...messages] : [{ role: 'system', content: instruction }, ...messages]
  return [{ role: 'user', content: instruction === undefined ? prompt : `${instruction}\n\n${prompt}` }]
}
