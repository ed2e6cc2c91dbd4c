import { Users } from 'lucide-react'
import { Link } from 'wouter'
import { type FragmentType, unmask } from '../gql'
import { FollowersDocument, FollowingDocument, PersonFragmentDoc } from '../gql/graphql'
import { useFollow } from '../feed/actions'
import { Drawer } from '../parts/Drawer'
import { useList } from '../parts/hooks'
import { Avatar, Empty, Problem, Reached } from '../parts/parts'
import { useSession } from '../session/session'
import { useWords } from '../text/text'

// People lists whom a user follows, or who follows the user.
export function People({ user, which, close }: { user: string; which: 'following' | 'followers'; close: () => void }) {
  const { t } = useWords()
  return (
    <Drawer title={which === 'following' ? t.following : t.followers} close={close} className="people">
      {which === 'following' ? <Following user={user} /> : <Followers user={user} />}
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

function PeopleList({ nodes, error, fetching, hasMore, more, again }: Omit<ReturnType<typeof useList<unknown, never, PersonRef>>, 'data'>) {
  const { t } = useWords()
  return (
    <div className="thread">
      {nodes?.length === 0 && !fetching && <Empty icon={<Users />} title={t.noPeople} />}
      <ul>{nodes?.map((node) => <Person key={node.id} person={node} />)}</ul>
      {error && <Problem error={error} again={again} />}
      {!nodes && !error && <div className="page-loading"><span className="spinner" /></div>}
      {hasMore && <Reached key={nodes?.length} call={more} />}
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
        <span className="line-name">{person.name}</span>
        <span className="person-signature">{person.signature}</span>
      </Link>
      {person.id !== viewer?.id && <FollowButton user={person} />}
    </li>
  )
}

// FollowButton follows a user, or stops it.
export function FollowButton({ user }: { user: { id: string; viewerIsFollowing: boolean | null } }) {
  const { t } = useWords()
  const follow = useFollow()
  const on = user.viewerIsFollowing ?? false
  return (
    <button type="button" className={on ? 'button' : 'button primary'} aria-pressed={on} onClick={() => follow(user, !on)}>
      {on ? t.unfollow : t.follow}
    </button>
  )
}
