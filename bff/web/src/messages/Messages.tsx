import { MessageCircle, Users } from 'lucide-react'
import { useMemo } from 'react'
import { Link } from 'wouter'
import { unmask } from '../gql'
import { FriendsDocument, LineFragmentDoc, PeerFragmentDoc } from '../gql/graphql'
import { useList } from '../graph/list'
import { useText } from '../text/text'
import { Avatar } from '../ui/Avatar'
import { LoadMore } from '../ui/LoadMore'
import { useDesktop } from '../ui/media'
import { EmptyState, ErrorState } from '../ui/states'
import { Chat } from './Chat'
import { friendsPageSize, useInbox } from './inbox'
import './messages.css'

// Messages shows the viewer's friends and the chat with one of them. On a phone it shows one of the two.
export default function Messages({ peer }: { peer?: string }) {
  const desktop = useDesktop()
  const { t } = useText()
  return (
    <div className="messages">
      {(desktop || !peer) && <Friends chosen={peer} />}
      {peer && <Chat key={peer} peer={peer} />}
      {!peer && desktop && <div className="chat"><EmptyState icon={<MessageCircle />} title={t.pickFriend} detail={t.pickFriendWhy} /></div>}
    </div>
  )
}

function Friends({ chosen }: { chosen: string | undefined }) {
  const { t, formatAge } = useText()
  const { isUnread } = useInbox()
  const list = useList(FriendsDocument, { first: friendsPageSize }, (data) => data.viewer?.friends)
  const friends = useMemo(
    () =>
      (list.nodes ?? [])
        .map(({ user, latestMessage }) => ({ id: user.id, user: unmask(PeerFragmentDoc, user), latest: unmask(LineFragmentDoc, latestMessage) }))
        .sort((a, b) => (b.latest?.createdAt ?? 0) - (a.latest?.createdAt ?? 0)),
    [list.nodes],
  )
  return (
    <section className="friends" aria-label={t.messages}>
      <h1>{t.messages}</h1>
      {list.nodes?.length === 0 && !list.fetching && <EmptyState icon={<Users />} title={t.noFriends} detail={t.noFriendsWhy} />}
      <ul>
        {friends.map(({ id, user, latest }) => (
          <li key={id}>
            <Link
              href={`/messages/${user.databaseId}`}
              className="friend"
              aria-current={chosen === String(user.databaseId) ? 'true' : undefined}
              data-unread={isUnread(id, latest)}
            >
              <Avatar url={user.avatarUrl} size={52} />
              <span className="friend-name">{user.name}</span>
              {latest && <span className="friend-time">{formatAge(latest.createdAt)}</span>}
              <span className="friend-message">{latest ? (latest.direction === 'SENT' ? t.you : '') + latest.content : t.sayHello}</span>
              {isUnread(id, latest) && <span className="dot" role="img" aria-label={t.unread(1)} />}
            </Link>
          </li>
        ))}
      </ul>
      {list.error && <ErrorState error={list.error} retry={list.reload} />}
      {!list.nodes && !list.error && (
        <div aria-hidden>
          {[0, 1, 2, 3, 4].map((i) => <div className="friend" key={i}><span className="skeleton round big" /><span className="skeleton text" /></div>)}
        </div>
      )}
      {list.hasMore && <LoadMore key={list.nodes?.length} load={list.loadMore} />}
    </section>
  )
}
