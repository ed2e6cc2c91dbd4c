import { createContext, type ReactNode, use, useCallback, useMemo, useState } from 'react'
import { useQuery, useSubscription } from 'urql'
import { useLocation } from 'wouter'
import { unmask } from '../gql'
import { FriendsDocument, LineFragmentDoc, MessageReceivedDocument, PeerFragmentDoc } from '../gql/graphql'
import { useReconnect } from '../graph/connection'
import { useSession } from '../session/session'
import { useText } from '../text/text'
import { useToast } from '../ui/toast'

export const friendsPageSize = 50

// ReadTimes has the time of the last message that the viewer has read, by the ID of the peer.
type ReadTimes = Record<string, number>

interface Inbox {
  markRead: (peer: string, time: number) => void
  isUnread: (peer: string, latest: { direction: string; createdAt: number } | null | undefined) => boolean
}

const InboxContext = createContext<Inbox>({ markRead: () => undefined, isUnread: () => false })

function loadReadTimes(key: string): ReadTimes {
  try {
    return JSON.parse(localStorage.getItem(key) ?? '{}') as ReadTimes
  } catch {
    return {}
  }
}

// InboxProvider receives the viewer's messages on every page, and stores in this browser which ones the viewer has read.
export function InboxProvider({ children }: { children: ReactNode }) {
  const { viewer } = useSession()
  const { t } = useText()
  const toast = useToast()
  const [path, navigate] = useLocation()
  const key = `read:${viewer?.id}`
  const [stored, setStored] = useState(() => ({ key, times: loadReadTimes(key) }))
  if (stored.key !== key) setStored({ key, times: loadReadTimes(key) })

  useSubscription({ query: MessageReceivedDocument, variables: {}, pause: !viewer }, (_previous, event) => {
    const { message, from } = event.messageReceived
    const peer = from && unmask(PeerFragmentDoc, from)
    if (peer && !path.startsWith('/messages')) {
      toast(`${peer.name}: ${unmask(LineFragmentDoc, message).content}`, { label: t.showIt, run: () => navigate(`/messages/${peer.databaseId}`) })
    }
    return event
  })

  const markRead = useCallback(
    (peer: string, time: number) =>
      setStored((old) => {
        if (old.key !== key || (old.times[peer] ?? 0) >= time) return old
        const times = { ...old.times, [peer]: time }
        localStorage.setItem(key, JSON.stringify(times))
        return { key, times }
      }),
    [key],
  )
  const { times } = stored
  const inbox = useMemo<Inbox>(
    () => ({ markRead, isUnread: (peer, latest) => latest?.direction === 'RECEIVED' && latest.createdAt > (times[peer] ?? 0) }),
    [times, markRead],
  )
  return <InboxContext value={inbox}>{children}</InboxContext>
}

export const useInbox = () => use(InboxContext)

// useUnreadCount returns the number of conversations with unread messages.
export function useUnreadCount() {
  const { viewer } = useSession()
  const { isUnread } = useInbox()
  const [{ data }, execute] = useQuery({ query: FriendsDocument, variables: { first: friendsPageSize, after: null }, pause: !viewer })
  // Reload after a reconnect: without a first event the subscription has no cursor, so it misses messages.
  useReconnect(useCallback(() => {
    if (viewer) execute({ requestPolicy: 'network-only' })
  }, [viewer, execute]))
  if (!viewer) return 0
  const friends = data?.viewer?.friends?.nodes ?? []
  return friends.filter(({ user, latestMessage }) => isUnread(user.id, unmask(LineFragmentDoc, latestMessage))).length
}
