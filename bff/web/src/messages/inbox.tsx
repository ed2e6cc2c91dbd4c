import { createContext, type ReactNode, use, useCallback, useMemo, useState } from 'react'
import { useQuery, useSubscription } from 'urql'
import { useLocation } from 'wouter'
import { unmask } from '../gql'
import { FriendsDocument, LineFragmentDoc, MessageReceivedDocument, PeerFragmentDoc } from '../gql/graphql'
import { useReconnect } from '../parts/hooks'
import { useToast } from '../parts/toast'
import { useSession } from '../session/session'
import { useWords } from '../text/text'

export const friendsPage = 50

// How far each conversation was read is kept in this browser, for each viewer.
interface Read {
  upTo: Record<string, number> // time of the last message seen, by the peer's id
  read: (peer: string, time: number) => void
  isUnread: (peer: string, latest: { direction: string; createdAt: number } | null | undefined) => boolean
}

const Context = createContext<Read>({ upTo: {}, read: () => undefined, isUnread: () => false })

function load(key: string): Record<string, number> {
  try {
    return JSON.parse(localStorage.getItem(key) ?? '{}') as Record<string, number>
  } catch {
    return {}
  }
}

// Inbox hears the viewer's messages on every page, and remembers which were read, for each viewer.
export function Inbox({ children }: { children: ReactNode }) {
  const { viewer } = useSession()
  const { t } = useWords()
  const toast = useToast()
  const [path, go] = useLocation()
  const key = `read:${viewer?.id}`
  const [{ of, upTo }, setUpTo] = useState(() => ({ of: key, upTo: load(key) }))
  if (of !== key) setUpTo({ of: key, upTo: load(key) })

  useSubscription({ query: MessageReceivedDocument, variables: {}, pause: !viewer }, (_all, told) => {
    const { message, from } = told.messageReceived
    const peer = from && unmask(PeerFragmentDoc, from)
    if (peer && !path.startsWith('/messages')) {
      toast(`${peer.name}: ${unmask(LineFragmentDoc, message).content}`, { label: t.showIt, run: () => go(`/messages/${peer.databaseId}`) })
    }
    return told
  })

  const read = useCallback(
    (peer: string, time: number) =>
      setUpTo((old) => {
        if (old.of !== key || (old.upTo[peer] ?? 0) >= time) return old
        const now = { ...old.upTo, [peer]: time }
        localStorage.setItem(key, JSON.stringify(now))
        return { of: key, upTo: now }
      }),
    [key],
  )
  const value = useMemo<Read>(
    () => ({ upTo, read, isUnread: (peer, latest) => latest?.direction === 'RECEIVED' && latest.createdAt > (upTo[peer] ?? 0) }),
    [upTo, read],
  )
  return <Context value={value}>{children}</Context>
}

export const useInbox = () => use(Context)

// useUnread returns how many conversations have something new.
export function useUnread() {
  const { viewer } = useSession()
  const { isUnread } = useInbox()
  const [{ data }, again] = useQuery({ query: FriendsDocument, variables: { first: friendsPage, after: null }, pause: !viewer })
  // Before the first message there is no cursor to go on by after a break.
  useReconnect(useCallback(() => {
    if (viewer) again({ requestPolicy: 'network-only' })
  }, [viewer, again]))
  if (!viewer) return 0
  const friends = data?.viewer?.friends?.nodes ?? []
  return friends.filter(({ user, latestMessage }) => isUnread(user.id, unmask(LineFragmentDoc, latestMessage))).length
}
