import { useCallback, useEffect, useReducer, useRef } from 'react'
import { useClient } from 'urql'
import { type LineFragment, SendMessageDocument } from '../gql/graphql'
import { claimDelivered, type Pending, reduceOutbox } from './outbox'

// useOutbox sends messages to a user. messages are those that the client has loaded. reload returns the latest messages of
// the server, or undefined after an error.
export function useOutbox(userID: string, messages: readonly LineFragment[], reload: () => Promise<readonly LineFragment[] | undefined>) {
  const client = useClient()
  const [pending, dispatch] = useReducer(reduceOutbox, [])
  const claimed = useRef(new Set<string>()) // IDs of stored messages that were pending
  const deliver = useCallback(
    async ({ key, content }: Pending) => {
      const { data, error } = await client.mutation(SendMessageDocument, { to: userID, content })
      if (data) claimed.current.add(data.sendMessage.message.id)
      dispatch({ type: error ? 'fail' : 'remove', key })
    },
    [client, userID],
  )
  useEffect(() => {
    for (const message of pending) {
      if (message.failed && claimDelivered(message, messages, claimed.current)) dispatch({ type: 'remove', key: message.key })
    }
  }, [pending, messages])

  function send(content: string) {
    const message = { key: performance.now(), content, failed: false, earlier: new Set(messages.map(({ id }) => id)) }
    dispatch({ type: 'add', message })
    void deliver(message)
  }

  // resend sends a failed message again, unless the server has stored it and only the response was lost.
  async function resend(message: Pending) {
    const { key } = message
    dispatch({ type: 'retry', key })
    const latest = await reload()
    if (!latest) return dispatch({ type: 'fail', key })
    if (claimDelivered(message, latest, claimed.current)) return dispatch({ type: 'remove', key })
    await deliver(message)
  }

  return { pending, send, resend }
}
