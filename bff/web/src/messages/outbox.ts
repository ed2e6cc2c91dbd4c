import type { LineFragment } from '../gql/graphql'

// The messages of a chat that are being sent, or failed.

export interface Pending {
  key: number
  content: string
  failed: boolean
  earlier: ReadonlySet<string> // IDs of the messages that were in the conversation before
}

type Action = { type: 'add'; message: Pending } | { type: 'fail' | 'retry' | 'remove'; key: number }

export function reduceOutbox(pending: Pending[], action: Action): Pending[] {
  switch (action.type) {
    case 'add':
      return [...pending, action.message]
    case 'remove':
      return pending.filter(({ key }) => key !== action.key)
    default:
      return pending.map((message) => (message.key === action.key ? { ...message, failed: action.type === 'fail' } : message))
  }
}

// claimDelivered reports whether the server has stored a pending message although its response was lost. It adds the ID
// of the stored message to claimed, so that each stored message matches one pending message only.
export function claimDelivered({ content, earlier }: Pending, stored: readonly LineFragment[], claimed: Set<string>) {
  const match = stored.find((message) => message.direction === 'SENT' && message.content === content && !earlier.has(message.id) && !claimed.has(message.id))
  if (match) claimed.add(match.id)
  return match !== undefined
}
