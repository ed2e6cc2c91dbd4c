import { Users } from 'lucide-react'
import { Link } from 'wouter'
import { useFollow } from '../feed/actions'
import { type FragmentType, unmask } from '../gql'
import { FollowersDocument, FollowingDocument, PersonFragmentDoc } from '../gql/graphql'
import { useList } from '../graph/list'
import { useSession } from '../session/session'
import { useText } from '../text/text'
import { Avatar } from '../ui/Avatar'
import { Drawer } from '../ui/Drawer'
import { LoadMore } from '../ui/LoadMore'
import { EmptyState, ErrorState } from '../ui/states'

// People lists the users that a user follows, or the user's followers.
export function People({ user, list, close }: { user: string; list: 'following' | 'followers'; close: () => void }) {
  const { t } = useText()
  return (
    <Drawer title={list === 'following' ? t.following : t.followers} close={close} className="people">
      {list === 'following' ? <Following user={user} /> : <Followers user={user} />}
    </Drawer>
  )
}

function Following({ user }: { user: string }) {
  return <PeopleList {...useList(FollowingDocument, { user, first: 30 }, (data) => data.user?.following)} />
}

function Followers({ user }: { user: string }) {
  return <PeopleList {...useList(FollowersDocument, { user, first: 30 }, (data) => data.user?.followers)} />
}

type PersonRef = { id: string } & FragmentType<typeof PersonFragmentDoc>

function PeopleList({ nodes, error, fetching, hasMore, loadMore, reload }: ReturnType<typeof useList<unknown, never, PersonRef>>) {
  const { t } = useText()
  return (
    <div className="thread">
      {nodes?.length === 0 && !fetching && <EmptyState icon={<Users />} title={t.noPeople} />}
      <ul>{nodes?.map((node) => <Person key={node.id} person={node} />)}</ul>
      {error && <ErrorState error={error} retry={reload} />}
      {!nodes && !error && <div className="page-loading"><span className="spinner" /></div>}
      {hasMore && <LoadMore key={nodes?.length} load={loadMore} />}
    </div>
  )
}

function Person({ person: masked }: { person: PersonRef }) {
  const person = unmask(PersonFragmentDoc, masked)
  const { viewer } = useSession()
  return (
    <li className="person">
      <Link href={`/user/${person.databaseId}`} className="person-link">
        <Avatar url={person.avatarUrl} size={44} />
        <span className="user-name">{person.name}</span>
        <span className="person-signature">{person.signature}</span>
      </Link>
      {person.id !== viewer?.id && <FollowButton user={person} />}
    </li>
  )
}

// FollowButton follows or unfollows a user.
export function FollowButton({ user }: { user: { id: string; viewerIsFollowing: boolean | null } }) {
  const { t } = useText()
  const follow = useFollow()
  const following = user.viewerIsFollowing ?? false
  return (
    <button type="button" className={following ? 'button' : 'button primary'} aria-pressed={following} onClick={() => follow(user, !following)}>
      {following ? t.unfollow : t.follow}
    </button>
  )
}
